// An LSTM unit of one number, with the weights of docs/lstm.md and sliders for what it gets.

import { h } from "./dom.ts";

/** Weights of the short-term memory and of the input, and the bias. */
const GATES = {
  forget: [2.7, 1.6, 1.6],
  input: [2.0, 1.7, 0.6],
  candidate: [1.4, 0.9, -0.3],
  output: [4.4, -0.2, 0.6],
} as const;

interface Step {
  kept: number;
  added: number;
  candidate: number;
  long: number;
  shown: number;
  short: number;
}

/** One step of the unit. Hochreiter & Schmidhuber 1997; the forget gate: Gers, Schmidhuber & Cummins 2000. */
function step(value: number, long: number, short: number): Step {
  const sum = ([ofShort, ofInput, bias]: readonly number[]): number => ofShort * short + ofInput * value + bias;
  const kept = sigmoid(sum(GATES.forget)),
    added = sigmoid(sum(GATES.input));
  const candidate = Math.tanh(sum(GATES.candidate)),
    shown = sigmoid(sum(GATES.output));
  const memory = kept * long + added * candidate;
  return { kept, added, candidate, long: memory, shown, short: shown * Math.tanh(memory) };
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

export class UnitView {
  private readonly input = new Slider("Input", -10, 10, 1, () => this.draw());
  private readonly long = new Slider("Long-term memory before", -4, 4, 2, () => this.draw());
  private readonly short = new Slider("Short-term memory before", -1, 1, 1, () => this.draw());
  private readonly stages = h("ol", { class: "stages" });
  private readonly result = h("p", { class: "result", "aria-live": "polite", role: "status" });

  constructor(root: HTMLElement) {
    const button = (name: string, ...values: [number, number, number]): HTMLElement =>
      h("button", { type: "button", onclick: () => this.set(...values) }, name);
    root.append(
      h("h1", {}, "One LSTM unit, by hand"),
      h(
        "p",
        {},
        "A unit keeps two memories. Three gates, shares between 0 and 1, decide what is forgotten, what is added and what is shown. The model has layers of many such units; this one works with single numbers, so that you can follow it.",
      ),
      h("div", { class: "sliders" }, this.input.element, this.long.element, this.short.element),
      h(
        "div",
        { class: "examples", role: "group", "aria-label": "Examples" },
        h("span", { class: "quiet" }, "Try: "),
        button("An input of 1 is remembered", 1, 2, 1),
        button("An input of −10 wipes the memory", -10, 2, 0),
        h("button", { type: "button", onclick: () => this.goOn() }, "Next step: the new memories become the old ones"),
      ),
      this.stages,
      this.result,
    );
    this.draw();
  }

  private now(): Step {
    return step(this.input.value, this.long.value, this.short.value);
  }

  private set(input: number, long: number, short: number): void {
    this.input.value = input;
    this.long.value = long;
    this.short.value = short;
    this.draw();
  }

  private goOn(): void {
    const { long, short } = this.now();
    this.set(this.input.value, long, short);
  }

  private draw(): void {
    const { kept, added, candidate, long, shown, short } = this.now();
    const before = this.long.value;
    this.stages.replaceChildren(
      stage(
        "Forget gate",
        kept,
        `${share(kept)} of the long-term memory stays: ${number(before)} becomes ${number(kept * before)}.`,
      ),
      stage(
        "Input gate",
        added,
        `${share(added)} of the new memory, ${number(candidate)}, is added: ${number(added * candidate)}.`,
      ),
      stage(
        "Output gate",
        shown,
        `${share(shown)} of tanh(${number(long)}) = ${number(Math.tanh(long))} is shown: ${number(short)}.`,
      ),
    );
    const wiped =
      kept < 0.01 && Math.abs(before) > 0.05 ? " The forget gate is closed: what the unit knew is gone." : "";
    this.result.replaceChildren(
      "Long-term memory ",
      h("strong", {}, number(long)),
      ", short-term memory ",
      h("strong", {}, number(short)),
      `.${wiped}`,
    );
  }
}

class Slider {
  private readonly output = h("output", {});
  private readonly range: HTMLInputElement;
  private exact = 0;
  readonly element: HTMLElement;

  constructor(name: string, least: number, most: number, start: number, onChange: () => void) {
    const id = name.toLowerCase().replaceAll(" ", "-");
    this.range = h("input", {
      type: "range",
      id,
      min: least,
      max: most,
      step: 0.05,
      oninput: () => {
        this.exact = this.range.valueAsNumber;
        this.show();
        onChange();
      },
    });
    this.element = h("div", {}, h("label", { for: id }, name), this.output, this.range);
    this.value = start;
  }

  get value(): number {
    return this.exact;
  }

  /** The slider shows the nearest value that it has. */
  set value(value: number) {
    this.exact = value;
    this.range.valueAsNumber = value;
    this.show();
  }

  private show(): void {
    this.output.textContent = number(this.value);
    this.range.setAttribute("aria-valuetext", number(this.value)); // which may be beyond the ends of the slider
  }
}

function stage(name: string, open: number, text: string): HTMLElement {
  const bar = h("i");
  bar.style.setProperty("--v", String(open));
  return h("li", {}, h("h2", {}, name), h("div", { class: "meter", "aria-hidden": "true" }, bar), h("p", {}, text));
}

function share(value: number): string {
  return `${(100 * value).toFixed(1)}%`;
}

function number(value: number): string {
  return value
    .toFixed(2)
    .replace("-", "−")
    .replace(/^−0\.00$/, "0.00");
}
