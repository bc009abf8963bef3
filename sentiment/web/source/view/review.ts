// One review: what is typed, the answer while it is typed, and what happened inside the network.

import type { Reader } from "../reader.ts";
import type { Reading } from "../model/predictor.ts";
import { renderAnswer, spokenAnswer } from "./answer.ts";
import { debounced, h, percent } from "./dom.ts";
import { Layers } from "./layers.ts";
import { Player } from "./player.ts";
import { Words } from "./words.ts";

/** Milliseconds without a key before the text is read. */
const PAUSE = 30;
/** The same before a screen reader says the answer. */
const PAUSE_SPOKEN = 1000;
/** The same before the layers are shown. */
const PAUSE_INSIDE = 150;
/** Characters of a text up to which replacing it can be undone. */
const MOST_INSERTED = 5000;
/** The same in lines. */
const MOST_INSERTED_LINES = 50;

const EXAMPLES: [string, string][] = [
  ["Plain", "I loved every minute of it."],
  ["Negated", "The acting isn't bad at all."],
  [
    "It turns",
    "The first half is slow and I nearly walked out. Then it becomes one of the most moving films I have seen in years.",
  ],
  ["It gets this wrong", "A perfect film for people who have never seen a good one."],
];

function isLong(text: string): boolean {
  return text.length > MOST_INSERTED || text.split("\n").length > MOST_INSERTED_LINES;
}

export class ReviewView {
  private readonly input = h("textarea", {
    id: "text",
    rows: 4,
    dir: "auto",
    spellcheck: false,
    autocomplete: "off",
    placeholder: "Type or paste a review …",
    oninput: () => {
      this.answer.classList.add("waiting");
      this.readSoon();
    },
  });
  private readonly answer = h("div", { class: "answer" });
  private readonly spoken = h("p", { class: "hidden", role: "status" });
  private readonly speakSoon = debounced(PAUSE_SPOKEN, (sentence: string) => (this.spoken.textContent = sentence));
  private readonly words = new Words((place) => this.select(place));
  private readonly layers = new Layers((place) => this.select(place));
  private readonly player = new Player((place, playing) => {
    this.select(place);
    if (!playing && this.reading) this.speakSoon(this.describe(this.reading, place));
  });
  private readonly status = h("p", { class: "quiet legend" });
  private readonly inside = h(
    "section",
    { class: "inside", "aria-labelledby": "inside-title", hidden: true },
    h("h2", { id: "inside-title" }, "Inside the LSTM"),
    h(
      "p",
      { class: "quiet" },
      "What each layer did with its memory at each word. Step through the review, or choose a word above. What the gates do is easiest to see in ",
      h("a", { href: "#unit" }, "one unit by itself"),
      ".",
    ),
    this.player.element,
    this.layers.element,
  );
  private readonly readSoon = debounced(PAUSE, () => void this.read());
  private reading: Reading | null = null;
  /** The reading whose layers are shown. */
  private readingInside: Reading | null = null;
  /** What each word adds, in logits and in reading order. */
  private contributions = new Float32Array();
  /** The chosen token, in reading order. */
  private place = 0;

  constructor(
    root: HTMLElement,
    private readonly reader: Reader,
  ) {
    root.append(
      h("h1", {}, "Is it positive, and why?"),
      h("label", { for: "text" }, "A movie review, in English"),
      this.input,
      h(
        "div",
        { class: "examples", role: "group", "aria-label": "Examples" },
        h("span", { class: "quiet" }, "Try: "),
        ...EXAMPLES.map(([name, text]) => h("button", { type: "button", onclick: () => this.set(text) }, name)),
      ),
      this.answer,
      this.spoken,
      this.words.element,
      this.status,
      this.inside,
    );
    addEventListener("hashchange", () => this.player.pause());
    this.input.value = EXAMPLES[2][1];
    void this.read();
  }

  /** Puts a text in the place of what is typed; if neither is too long, the browser can undo that. */
  private set(text: string): void {
    if (!this.insert(text)) {
      this.input.value = text;
      void this.read();
    }
  }

  /** Whether the text was inserted as if it were typed, which takes seconds for thousands of lines. */
  private insert(text: string): boolean {
    if (text === "" || isLong(text) || isLong(this.input.value)) return false;
    const focused = document.activeElement;
    this.input.focus({ preventScroll: true });
    this.input.select();
    // deprecated, but nothing else keeps what was typed for Ctrl+Z
    document.execCommand("insertText", false, text);
    if (focused instanceof HTMLElement) focused.focus({ preventScroll: true });
    return this.input.value === text;
  }

  /** Shows a review of a file, from its beginning. */
  open(text: string): void {
    this.set(text);
    scrollTo(0, 0);
    this.input.focus();
  }

  private async read(): Promise<void> {
    try {
      this.show(await this.reader.read(this.input.value, (first, values) => this.addContributions(first, values)));
    } catch (error) {
      this.answer.replaceChildren(h("p", { class: "problem", role: "alert" }, String(error)));
    }
  }

  private show(reading: Reading): void {
    this.reading = reading;
    this.player.pause();
    this.speakSoon(spokenAnswer(reading.prediction));
    this.contributions = new Float32Array(reading.words.length).fill(NaN);
    this.answer.replaceChildren(
      ...(reading.text
        ? renderAnswer(reading.prediction, reading.confidentFrom)
        : [h("p", { class: "quiet" }, "The answer appears here while you type.")]),
    );
    this.answer.classList.remove("waiting");
    this.words.show(reading);
    if (reading.prediction.label === null) {
      this.inside.hidden = true;
      this.status.textContent = "";
      return;
    }
    this.explainStatus();
    this.place = reading.tokens.length - 1;
    this.words.select(this.place);
    this.showInsideSoon(reading);
  }

  /** Shows the layers, which takes the browser longer than the words do, so they wait until nobody types. */
  private readonly showInsideSoon = debounced(PAUSE_INSIDE, (reading: Reading) => {
    if (reading !== this.reading) return;
    this.readingInside = reading;
    this.inside.hidden = false;
    this.player.show(reading.tokens.length);
    this.layers.show(reading);
    this.select(this.place);
  });

  private select(place: number): void {
    const { reading } = this;
    this.place = place;
    this.words.select(place);
    if (!reading || reading !== this.readingInside) return;
    this.player.select(place, this.describe(reading, place));
    this.layers.select(place);
  }

  private describe({ tokens, running }: Reading, place: number): string {
    return `Token ${place + 1} of ${tokens.length}, ${tokens[place]}: ${percent(running[place])} positive so far`;
  }

  private addContributions(first: number, values: Float32Array): void {
    if (this.reading?.prediction.label === null) return;
    this.contributions.set(values, first);
    this.words.shade(this.contributions);
    this.explainStatus(first + values.length);
  }

  private explainStatus(done = 0): void {
    const words = this.contributions.length;
    const how =
      done < words
        ? `Leaving out each word in turn: ${done} of ${words} …`
        : "A word's shade shows how much the answer would change without it.";
    this.status.replaceChildren(
      h("span", { class: "key positive" }, "Blue"),
      " adds to positive, ",
      h("span", { class: "key negative" }, "orange"),
      " to negative; the stronger the color, the more. Below the words: the probability of positive so far. ",
      how,
    );
  }
}
