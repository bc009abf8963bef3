// Steps through a review, word by word.

import { h } from "./dom.ts";

/** Milliseconds for each word. */
const PACE = 450;

export class Player {
  private readonly range = h("input", {
    type: "range",
    min: 1,
    max: 1,
    value: 1,
    "aria-label": "Word",
    oninput: () => this.go(this.range.valueAsNumber - 1),
  });
  private readonly toggle = h(
    "button",
    { type: "button", class: "primary", onclick: () => (this.timer ? this.pause() : this.play()) },
    "Play",
  );
  readonly element = h(
    "div",
    { class: "player", role: "group", "aria-label": "Step through the review" },
    h("button", { type: "button", "aria-label": "First word", onclick: () => this.go(0) }, "⇤"),
    h("button", { type: "button", "aria-label": "Previous word", onclick: () => this.go(this.place - 1) }, "←"),
    this.toggle,
    h("button", { type: "button", "aria-label": "Next word", onclick: () => this.go(this.place + 1) }, "→"),
    h("button", { type: "button", "aria-label": "Last word", onclick: () => this.go(this.words - 1) }, "⇥"),
    this.range,
  );
  private timer = 0;
  private place = 0;
  private words = 1;

  /** @param onStep is called with the place of a token, and whether the player goes by itself */
  constructor(private readonly onStep: (place: number, playing: boolean) => void) {}

  /** A review of so many words. */
  show(words: number): void {
    this.pause();
    this.words = words;
    this.range.max = String(words);
  }

  /** Shows that the review is at a word, which is `described` for screen readers. */
  select(place: number, described: string): void {
    this.place = place;
    this.range.value = String(place + 1);
    this.range.setAttribute("aria-valuetext", described);
  }

  private go(place: number): void {
    this.pause();
    this.onStep(Math.max(0, Math.min(place, this.words - 1)), false);
  }

  private play(): void {
    if (this.place >= this.words - 1) this.onStep(0, true);
    this.toggle.textContent = "Pause";
    this.timer = setInterval(() => {
      if (this.place >= this.words - 1) this.pause();
      else this.onStep(this.place + 1, true);
    }, PACE);
  }

  /** Stops playing. */
  pause(): void {
    clearInterval(this.timer);
    this.timer = 0;
    this.toggle.textContent = "Play";
  }
}
