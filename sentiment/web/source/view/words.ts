// The words of a review as they were typed: shaded by what they add, with the probability after each drawn below.

import type { Reading } from "../model/predictor.ts";
import { beginning, count, h, percent, signed } from "./dom.ts";

/** A typed word and its tokens, as places in reading order, from the first to before the last. */
interface Word {
  button: HTMLButtonElement;
  typed: string;
  known: boolean;
  first: number;
  last: number;
}

/** The deepest shade stands for at least this many logits. */
const LEAST_STRONGEST = 0.5;
/** Characters that are shown of a part that the model does not read. */
const MOST_UNREAD = 300;

export class Words {
  private readonly text = h("div", { class: "words", dir: "auto", role: "group", "aria-label": "Words of the review" });
  private readonly picked = h("p", { class: "picked" });
  readonly element = h("div", {}, this.text, this.picked);
  /** In the order in which they were typed. */
  private words: Word[] = [];
  private chosen: Word | undefined;
  private reading: Reading | null = null;

  /** @param onSelect is called with the place of a token, in reading order */
  constructor(private readonly onSelect: (place: number) => void) {
    this.text.addEventListener("click", (event) => this.choose(event.target));
    this.text.addEventListener("keydown", (event) => this.move(event));
  }

  show(reading: Reading): void {
    this.reading = reading;
    this.words = [];
    this.chosen = undefined;
    this.picked.replaceChildren();
    if (reading.prediction.label === null) {
      this.text.replaceChildren();
      return;
    }
    const { text, offsets, backward } = reading;
    const lines = document.createDocumentFragment();
    let done = 0;
    let together: HTMLElement | null = null;
    for (const [first, last] of backward ? reading.words.toReversed() : reading.words) {
      const [start, end] = offsets[backward ? last - 1 : first];
      const between = text.slice(done, start);
      if (!together || /\s/.test(between)) {
        lines.append(...unread(between, done > 0));
        together = h("span", { class: "together" });
        lines.append(together);
      } else if (between) together.append(h("span", { class: "unread" }, between));
      const word = this.word(text.slice(start, end), first, last);
      together.append(word.button);
      this.words.push(word);
      done = end;
    }
    lines.append(...unread(text.slice(done), true));
    this.text.replaceChildren(lines);
    this.words.forEach((word, index) => this.draw(word, this.words[index - 1]));
  }

  private word(typed: string, first: number, last: number): Word {
    const known = this.reading?.known.slice(first, last).every(Boolean) ?? true;
    const button = h(
      "button",
      { type: "button", tabindex: -1, class: known ? "word" : "word unknown" },
      h("span", { class: "typed" }, typed),
      h("span", { class: "curve", "aria-hidden": "true" }, h("i")),
    );
    return { button, typed, known, first, last };
  }

  /** The probability after a word; the step from the word before is a line. */
  private draw(word: Word, before?: Word): void {
    const probability = this.after(word);
    word.button.style.setProperty("--p", probability.toFixed(4));
    word.button.style.setProperty("--q", (before ? this.after(before) : 0.5).toFixed(4));
    word.button.classList.toggle("up", probability >= 0.5);
    word.button.setAttribute("aria-label", `${describe(word)} ${percent(probability)} positive after it`);
  }

  private after({ last }: Word): number {
    return this.reading?.running[last - 1] ?? 0.5;
  }

  /** Shades the words by what they add, in logits and in reading order; NaN for what is not known yet. */
  shade(contributions: Float32Array): void {
    const strongest = contributions.reduce((most, added) => Math.max(most, Math.abs(added) || 0), LEAST_STRONGEST);
    this.words.forEach((word, index) => {
      const { button } = word;
      const added = contributions[this.reading?.backward ? this.words.length - 1 - index : index];
      if (Number.isNaN(added)) return;
      button.style.setProperty("--shade", (Math.abs(added) / strongest).toFixed(3));
      button.classList.toggle("positive", added > 0);
      button.classList.toggle("negative", added < 0);
      const after = percent(this.after(word));
      button.title = `${describe(word)} adds ${signed(added)}; ${after} positive after it`;
      button.setAttribute("aria-label", button.title);
    });
    this.describeChosen();
  }

  /** Marks the word of a token; it is the one that the Tab key reaches. */
  select(place: number): void {
    for (const word of this.words) {
      const { button, first, last } = word;
      const chosen = first <= place && place < last;
      if (chosen) this.chosen = word;
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    }
    this.describeChosen();
  }

  private describeChosen(): void {
    this.picked.textContent = this.chosen?.button.getAttribute("aria-label") ?? "";
  }

  private choose(target: EventTarget | null): void {
    const button = (target as Element).closest("button");
    const word = this.words.find((other) => other.button === button);
    if (word) this.onSelect(word.last - 1);
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
    this.onSelect(next.last - 1);
    next.button.focus();
  }
}

function describe({ typed, known }: Word): string {
  return known ? `“${typed}”` : `“${typed}”, not in the vocabulary,`;
}

/**
 * What no token stands for: spaces, line breaks, and markup, in grey.
 *
 * @param follows whether something comes before it
 */
function unread(text: string, follows: boolean): (Node | string)[] {
  const shown = beginning(text, MOST_UNREAD);
  if (shown !== text && text.trim() !== "") {
    return [...unread(shown, follows), h("span", { class: "unread" }, ` … ${count(text.length)} characters … `)];
  }
  const lines = text.split(/\r\n?|\n/);
  return lines.flatMap((line, index) => [
    ...(index ? [h("br")] : []),
    ...(/^\s/.test(line) && (follows || index) ? [" "] : []),
    ...(line.trim() ? [h("span", { class: "unread" }, line.trim())] : []),
    ...(/\S\s+$/.test(line) ? [" "] : []),
  ]);
}
