// The answers for a file: the share of positive reviews, a histogram, the extremes, a table, and a download.

import type { Prediction } from "../model/prediction.ts";
import type { Row } from "../table/reader.ts";
import { writeAnswers } from "../table/writer.ts";
import type { TableHead } from "../worker.ts";
import { beginning, count, h, percent } from "./dom.ts";
import { histogram } from "./histogram.ts";
import { ResultTable } from "./result_table.ts";

export interface Scored {
  row: Row;
  answer: Prediction;
}

/** Reviews that are shown of each kind. */
const SHOWN = 5;
/** Characters that are shown before what was searched for. */
const BEFORE = 40;
/** Broken rows that are listed. */
const LISTED = 200;

export class Results {
  readonly element: HTMLElement;

  constructor(
    private readonly name: string,
    private readonly table: TableHead,
    private readonly scored: Scored[],
    stopped: boolean,
    private readonly onOpen: (text: string) => void,
  ) {
    const labeled = scored.filter(({ answer }) => answer.label !== null);
    const title = h("h2", { tabindex: -1 }, `${name}: ${counted(scored.length, "review")}`);
    this.element = h(
      "div",
      { class: "results" },
      title,
      stopped &&
        h("p", { class: "note" }, `Stopped after ${count(scored.length)} of ${counted(table.rows, "review")}.`),
      table.note !== "" && h("p", { class: "quiet" }, table.note),
      this.problems(),
    );
    queueMicrotask(() => title.focus({ preventScroll: true }));
    if (!scored.length) {
      this.element.append(h("p", {}, stopped ? "Stopped before the first review." : "No row could be read."));
      return;
    }
    const download = h(
      "button",
      { type: "button", class: "primary", onclick: () => this.download() },
      "Download the answers",
    );
    this.element.append(
      labeled.length ? this.summary(labeled) : h("p", {}, "No review has words to read."),
      h("div", { class: "row" }, download),
    );
    if (!labeled.length) return;
    this.element.append(
      h(
        "section",
        {},
        h("h3", {}, "How positive are they?"),
        histogram(labeled.map(({ answer }) => answer.probability ?? 0)),
      ),
      this.extremes(labeled),
      new ResultTable(scored, onOpen).element,
    );
  }

  private summary(labeled: Scored[]): HTMLElement {
    const positive = labeled.filter(({ answer }) => answer.label === "positive").length;
    const unsure = labeled.filter(({ answer }) => answer.uncertain).length;
    const [low, high] = interval(positive, labeled.length);
    const empty = this.scored.length - labeled.length;
    return h(
      "div",
      { class: "cards" },
      h(
        "div",
        {},
        h("strong", {}, percent(positive / labeled.length)),
        h("span", {}, " positive"),
        h(
          "p",
          { class: "quiet" },
          `95% interval ${Math.round(100 * low)} to ${Math.round(100 * high)}%, if these are a random sample`,
        ),
      ),
      h(
        "div",
        {},
        h("strong", {}, percent(unsure / labeled.length)),
        h("span", {}, " unsure"),
        h("p", { class: "quiet" }, `${counted(unsure, "review")} to read yourself`),
      ),
      h(
        "div",
        {},
        h("strong", {}, count(labeled.length)),
        h("span", {}, " with an answer"),
        h(
          "p",
          { class: "quiet" },
          empty
            ? `${counted(empty, "text")} without words`
            : this.table.problems.length
              ? "all that could be read"
              : "all of them",
        ),
      ),
    );
  }

  private extremes(labeled: Scored[]): HTMLElement {
    const read = labeled.filter(({ answer }) => answer.reason === null);
    const ascending = read.sort((a, b) => (a.answer.score ?? 0) - (b.answer.score ?? 0));
    const mostConfident = (label: string): Scored[] =>
      ascending
        .filter(({ answer }) => answer.label === label && !answer.uncertain)
        .slice(-SHOWN)
        .reverse();
    const [positive, negative] = [mostConfident("positive"), mostConfident("negative")];
    const others = ascending.filter((one) => !positive.includes(one) && !negative.includes(one));
    return h(
      "div",
      { class: "extremes" },
      this.list("Most confident positive", positive),
      this.list("Most confident negative", negative),
      this.list("Least sure", others.slice(0, SHOWN)),
    );
  }

  private list(title: string, found: Scored[]): HTMLElement {
    return h(
      "section",
      {},
      h("h3", {}, title),
      found.length
        ? h(
            "ul",
            {},
            ...found.map(({ row, answer }) =>
              h(
                "li",
                {},
                h(
                  "button",
                  { type: "button", class: "link", onclick: () => this.onOpen(row.text) },
                  shortened(row.text),
                ),
                " ",
                h("span", { class: "quiet" }, `${answer.label} ${percent(answer.score ?? 0)}, ${row.place}`),
              ),
            ),
          )
        : h("p", { class: "quiet" }, "None."),
    );
  }

  private problems(): HTMLElement | null {
    const { problems } = this.table;
    if (!problems.length) return null;
    const rest = problems.length - LISTED;
    return h(
      "details",
      { class: "problem" },
      h(
        "summary",
        {},
        `${counted(problems.length, "row")} could not be read and ${problems.length > 1 ? "have" : "has"} no answer`,
      ),
      h(
        "ul",
        {},
        ...problems.slice(0, LISTED).map(({ place, problem }) => h("li", {}, `${place}: ${problem}`)),
        rest > 0 && h("li", {}, `and ${counted(rest, "more row")}`),
      ),
    );
  }

  private download(): void {
    const table = { ...this.table, rows: this.scored.map(({ row }) => row) };
    const blob = writeAnswers(
      table,
      this.scored.map(({ answer }) => answer),
    );
    const ending = table.format === "txt" ? "csv" : table.format;
    const name = `${this.name.replace(/\.(csv|tsv|jsonl|ndjson|txt)(\.gz)?$/i, "")}.answers.${ending}`;
    const address = URL.createObjectURL(blob);
    h("a", { href: address, download: name }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }
}

/** Wilson's 95% interval of a share (Wilson 1927, "Probable inference, the law of succession, and statistical inference"). */
function interval(positive: number, of: number): [number, number] {
  const z = 1.96,
    share = positive / of,
    z2 = (z * z) / of;
  const middle = share + z2 / 2,
    reach = z * Math.sqrt((share * (1 - share) + z2 / 4) / of);
  return [Math.max(0, (middle - reach) / (1 + z2)), Math.min(1, (middle + reach) / (1 + z2))];
}

/** What is between two words: white space, or a line break in HTML. */
export const BETWEEN = String.raw`(?:<br[ /]*>|\s)+`;

/** The beginning of a text, on one line; or the part around the place of what was searched for. */
export function shortened(text: string, place = 0, most = 140): string {
  const start = place > most / 2 ? place - BEFORE : 0;
  const part = text.slice(start, start + 4 * most);
  const line = part
    .replace(/^[\udc00-\udfff]/, "")
    .replace(new RegExp(BETWEEN, "gi"), " ")
    .trim();
  const shown = beginning(line, most);
  const cut = shown !== line || start + part.length < text.length;
  return `${start ? "… " : ""}${shown}${cut ? " …" : ""}` || "(empty)";
}

function counted(number: number, noun: string): string {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}
