// What the layers of the LSTM did at each word: one row for each gate, and the maps of all units behind a fold.

import type { LayerTrace } from "../model/network.ts";
import type { Reading } from "../model/predictor.ts";
import { h, percent } from "./dom.ts";

/** Words that are shown at a time, around the chosen one. */
const WINDOW = 60;
/** Characters in a row of the table up to which it fits on paper; a number takes as much room as four. */
const MOST_PRINTED = 75;

interface Gate {
  name: string;
  meaning: string;
  value: (trace: LayerTrace, at: number) => number;
}

const GATES: Gate[] = [
  {
    name: "forgot",
    meaning: "share of the long-term memory that the forget gate drops",
    value: (trace, at) => 1 - trace.longRememberPercent[at],
  },
  {
    name: "added",
    meaning: "share of the new memory that the input gate lets in",
    value: (trace, at) => trace.potentialRememberPercent[at],
  },
  {
    name: "kept",
    meaning: "how full the long-term memory is afterwards: the size of its tanh",
    value: (trace, at) => Math.abs(Math.tanh(trace.updatedLongMemory[at])),
  },
  {
    name: "showed",
    meaning: "share of that memory that the output gate lets out",
    value: (trace, at) => trace.outputPercent[at],
  },
];

interface UnitMap {
  name: string;
  signed: boolean;
  value: (trace: LayerTrace, at: number) => number;
}

const MAPS: UnitMap[] = [
  { name: "forget gate", signed: false, value: (trace, at) => trace.longRememberPercent[at] },
  { name: "input gate", signed: false, value: (trace, at) => trace.potentialRememberPercent[at] },
  { name: "new memory", signed: true, value: (trace, at) => trace.potentialMemory[at] },
  { name: "long-term memory (tanh)", signed: true, value: (trace, at) => Math.tanh(trace.updatedLongMemory[at]) },
  { name: "output gate", signed: false, value: (trace, at) => trace.outputPercent[at] },
];

export class Layers {
  private readonly chosen = h("p", { class: "chosen" });
  private readonly scroller = h("div", {
    class: "scroller",
    tabindex: 0,
    role: "region",
    "aria-label": "Gates at each word",
  });
  private readonly maps = h("div", { class: "maps" });
  private readonly fold = h(
    "details",
    { ontoggle: () => this.drawMaps() },
    h("summary", {}, "All units"),
    h(
      "p",
      { class: "quiet" },
      "Each column is a word, each line a unit. Purple is a share from 0 to 1; blue is above 0, orange below.",
    ),
    this.maps,
  );
  readonly element = h(
    "div",
    {},
    this.chosen,
    this.scroller,
    h("dl", { class: "meanings" }, ...GATES.flatMap(({ name, meaning }) => [h("dt", {}, name), h("dd", {}, meaning)])),
    h("p", { class: "quiet" }, "The strongest color in a row is its largest value."),
    this.fold,
  );
  private reading: Reading | null = null;
  private means: number[][][] = [];
  private from = -1;

  /** @param onSelect is called with the place of a token, in reading order */
  constructor(onSelect: (place: number) => void) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.drawMaps());
    this.scroller.addEventListener("click", (event) => {
      const column = (event.target as Element).closest("td, thead th")?.getAttribute("data-place");
      if (column) onSelect(Number(column));
    });
  }

  show(reading: Reading): void {
    this.reading = reading;
    this.from = -1;
    this.element.classList.toggle("long", printedWidth(reading.tokens) > MOST_PRINTED);
    const time = reading.tokens.length;
    this.means = reading.layers.map((trace) =>
      GATES.map(({ value }) => {
        const units = trace.longRememberPercent.length / time;
        return Array.from({ length: time }, (_, t) => {
          let sum = 0;
          for (let unit = 0; unit < units; unit++) sum += value(trace, t * units + unit);
          return sum / units;
        });
      }),
    );
  }

  select(place: number): void {
    const { reading } = this;
    if (!reading) return;
    const time = reading.tokens.length;
    const from = Math.max(0, Math.min(place - WINDOW / 2, time - WINDOW));
    if (this.from < 0 || (time > WINDOW && from !== this.from)) {
      this.from = from;
      this.scroller.replaceChildren(this.table(reading));
      this.drawMaps();
    }
    for (const cell of this.scroller.querySelectorAll("[data-place]")) {
      cell.classList.toggle("on", cell.getAttribute("data-place") === String(place));
    }
    this.maps.style.setProperty("--chosen", String((place - this.from + 0.5) / this.shown));
    this.scrollTo(place);
    this.describe(reading, place);
  }

  private get shown(): number {
    return Math.min(WINDOW, this.reading?.tokens.length ?? 0);
  }

  private describe(reading: Reading, place: number): void {
    const layers = this.means.map(
      (gates, depth) =>
        `Layer ${depth + 1} ` +
        GATES.map(({ name }, gate) => `${name} ${Math.round(100 * gates[gate][place])}%`).join(", ") +
        ".",
    );
    this.chosen.replaceChildren(
      h("strong", {}, `“${reading.tokens[place]}”`),
      `, token ${place + 1} of ${reading.tokens.length}: ${percent(reading.running[place])} positive so far. `,
      h("span", { class: "quiet" }, layers.join(" ")),
    );
  }

  private table(reading: Reading): HTMLElement {
    const places = Array.from({ length: this.shown }, (_, index) => this.from + index);
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "mean of the units, %"),
      ...places.map((place) =>
        h(
          "th",
          { scope: "col", "data-place": place, class: reading.known[place] ? "" : "unknown" },
          h("bdi", {}, reading.tokens[place]),
        ),
      ),
    );
    const bodies = this.means.map((gates, depth) =>
      h(
        "tbody",
        {},
        h(
          "tr",
          { class: "layer" },
          h("th", { scope: "rowgroup", colspan: this.shown + 1 }, h("div", {}, `Layer ${depth + 1}`)),
        ),
        ...gates.map((values, gate) => {
          const part = places.map((place) => values[place]);
          const least = Math.min(...part),
            most = Math.max(...part);
          return h(
            "tr",
            {},
            h("th", { scope: "row" }, GATES[gate].name),
            ...places.map((place, index) => {
              const cell = h("td", { "data-place": place }, String(Math.round(100 * part[index])));
              cell.style.setProperty("--v", (most > least ? (part[index] - least) / (most - least) : 0).toFixed(3));
              return cell;
            }),
          );
        }),
      ),
    );
    return h("table", {}, h("thead", {}, head), ...bodies);
  }

  private scrollTo(place: number): void {
    const cell = this.scroller.querySelector<HTMLElement>(`thead [data-place="${place}"]`);
    const names = this.scroller.querySelector<HTMLElement>("thead th");
    if (!cell || !names) return;
    const left = cell.offsetLeft - names.offsetWidth,
      right = cell.offsetLeft + cell.offsetWidth;
    const { scrollLeft, clientWidth } = this.scroller;
    if (left < scrollLeft || right > scrollLeft + clientWidth) {
      this.scroller.scrollLeft = left - (clientWidth - names.offsetWidth) / 3;
    }
  }

  private drawMaps(): void {
    const { reading } = this;
    if (!this.fold.open || !reading) return;
    const colors = mapColors(this.element);
    this.maps.replaceChildren(
      ...reading.layers.flatMap((trace, depth) => [
        h("h3", {}, `Layer ${depth + 1}`),
        ...MAPS.map((map) => this.map(trace, map, `Layer ${depth + 1}, ${map.name}`, colors)),
      ]),
    );
  }

  private map(trace: LayerTrace, { name, signed, value }: UnitMap, label: string, colors: Colors): HTMLElement {
    const time = this.reading?.tokens.length ?? 1,
      units = trace.longRememberPercent.length / time;
    const canvas = h("canvas", {
      width: this.shown,
      height: units,
      role: "img",
      "aria-label": `${label}: one line for each of ${units} units`,
    });
    const context = canvas.getContext("2d");
    const picture = new ImageData(this.shown, units);
    for (let t = 0; t < this.shown; t++) {
      for (let unit = 0; unit < units; unit++) {
        const amount = value(trace, (this.from + t) * units + unit);
        const [r, g, b] = signed ? (amount < 0 ? colors.negative : colors.positive) : colors.gate;
        picture.data.set([r, g, b, Math.round(255 * Math.abs(amount))], 4 * (unit * this.shown + t));
      }
    }
    context?.putImageData(picture, 0, 0);
    return h("figure", {}, h("figcaption", {}, name), h("div", { class: "map" }, canvas, h("i")));
  }
}

function printedWidth(tokens: string[]): number {
  return tokens.reduce((sum, token) => sum + Math.max(4, token.length), 0);
}

interface Colors {
  gate: number[];
  positive: number[];
  negative: number[];
}

function mapColors(element: Element): Colors {
  const style = getComputedStyle(element);
  const color = (name: string): number[] => style.getPropertyValue(name).trim().split(/\s+/).map(Number);
  return { gate: color("--gate"), positive: color("--positive"), negative: color("--negative") };
}
