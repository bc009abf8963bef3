// The words of a review as they were typed: shaded by what they add, with the probability after each drawn below.

import type { Reading } from "../model/predictor.ts";
import { h, percent, signed } from "./dom.ts";

/** A typed word and the tokens that it stands for, as places in reading order. */
interface Word {
  button: HTMLButtonElement;
  typed: string;
  known: boolean;
  places: number[];
}

/** The deepest shade stands for at least this many logits. */
const LEAST_STRONGEST = 0.5;

export class Words {
  readonly element = h("div", { class: "words", role: "group", "aria-label": "Words of the review" });
  private words: Word[] = [];
  private reading: Reading | null = null;

  /** @param onSelect is called with the place of a token, in reading order */
  constructor(private readonly onSelect: (place: number) => void) {
    this.element.addEventListener("click", (event) => this.choose(event.target));
    this.element.addEventListener("keydown", (event) => this.move(event));
  }

  show(reading: Reading): void {
    this.reading = reading;
    this.words = [];
    const { text, offsets, backward } = reading;
    const order = offsets.map((_, place) => place);
    if (backward) order.reverse();
    const lines = document.createDocumentFragment();
    let done = 0;
    let together: HTMLElement | null = null;
    for (const place of order) {
      const [start, end] = offsets[place];
      if (start === end && this.words.length) {
        this.words[this.words.length - 1].places.push(place);
        continue;
      }
      const between = text.slice(done, start);
      if (!together || /\s/.test(between)) {
        lines.append(...unread(between, done > 0));
        together = h("span", { class: "together" });
        lines.append(together);
      } else if (between) together.append(h("span", { class: "unread" }, between));
      const word = this.word(text.slice(start, end), place);
      together.append(word.button);
      this.words.push(word);
      done = end;
    }
    lines.append(...unread(text.slice(done), true));
    this.element.replaceChildren(lines);
    this.words.forEach((word, index) => this.draw(word, this.words[index - 1]));
  }

  private word(typed: string, place: number): Word {
    const known = this.reading?.known[place] ?? true;
    const button = h(
      "button",
      { type: "button", tabindex: -1, class: known ? "word" : "word unknown" },
      h("span", { class: "typed" }, typed),
      h("span", { class: "curve", "aria-hidden": "true" }, h("i")),
    );
    return { button, typed, known, places: [place] };
  }

  /** The probability after a word; the step from the word before is a line. */
  private draw(word: Word, before?: Word): void {
    const probability = this.after(word);
    word.button.style.setProperty("--p", probability.toFixed(4));
    word.button.style.setProperty("--q", (before ? this.after(before) : 0.5).toFixed(4));
    word.button.classList.toggle("up", probability >= 0.5);
    word.button.setAttribute("aria-label", `${describe(word)}: ${percent(probability)} positive after it`);
  }

  private after({ places }: Word): number {
    return this.reading?.running[places[this.reading.backward ? 0 : places.length - 1]] ?? 0.5;
  }

  /** Shades the words by what they add, in logits; NaN for what is not known yet. */
  shade(contributions: Float32Array): void {
    const sums = this.words.map(({ places }) => places.reduce((sum, place) => sum + contributions[place], 0));
    const strongest = sums.reduce((most, sum) => Math.max(most, Math.abs(sum) || 0), LEAST_STRONGEST);
    this.words.forEach((word, index) => {
      const { button } = word;
      const sum = sums[index];
      if (Number.isNaN(sum)) return;
      button.style.setProperty("--shade", (Math.abs(sum) / strongest).toFixed(3));
      button.classList.toggle("positive", sum > 0);
      button.classList.toggle("negative", sum < 0);
      const after = percent(this.after(word));
      button.title = `${describe(word)}: adds ${signed(sum)}; ${after} positive after it`;
      button.setAttribute("aria-label", button.title);
    });
  }

  /** Marks the word of a token; it is the one that the Tab key reaches. */
  select(place: number): void {
    for (const { button, places } of this.words) {
      const chosen = places.includes(place);
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
  }

  private choose(target: EventTarget | null): void {
    const button = (target as Element).closest("button");
    const word = this.words.find((other) => other.button === button);
    if (word) this.onSelect(word.places[0]);
  }

  private move(event: KeyboardEvent): void {
    const now = this.words.findIndex(({ button }) => button === document.activeElement);
    const steps: Record<string, number> = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      Home: 0,
      End: this.words.length - 1,
    };
    const next = this.words[steps[event.key] ?? -1];
    if (now < 0 || !next) return;
    event.preventDefault();
    this.onSelect(next.places[0]);
    next.button.focus();
  }
}

function describe({ typed, known }: Word): string {
  return known ? typed : `${typed}, not in the vocabulary`;
}

/**
 * What no token stands for: spaces, line breaks, and markup, in grey.
 *
 * @param follows whether something comes before it
 */
function unread(text: string, follows: boolean): (Node | string)[] {
  const lines = text.split(/\r\n?|\n/);
  return lines.flatMap((line, index) => [
    ...(index ? [h("br")] : []),
    ...(/^\s/.test(line) && (follows || index) ? [" "] : []),
    ...(line.trim() ? [h("span", { class: "unread" }, line.trim())] : []),
    ...(/\S\s+$/.test(line) ? [" "] : []),
  ]);
}
