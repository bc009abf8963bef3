// All reviews of a file with their answers: searched, sorted, and shown some at a time.

import type { Prediction } from "../model/prediction.ts";
import { count, debounced, h, percent } from "./dom.ts";
import { literally } from "../text/patterns.ts";
import { BETWEEN, type Scored, shortened } from "./results.ts";

/** Reviews on a page. */
const PAGE = 50;

interface Column {
  name: string;
  /** Whether the largest comes first when the column is chosen. */
  largestFirst?: boolean;
  key: (scored: Scored, index: number) => number | string;
}

const COLUMNS: Column[] = [
  { name: "Row", key: (_, index) => index },
  { name: "Label", key: ({ answer }) => answer.label ?? "" },
  { name: "Positive", largestFirst: true, key: ({ answer }) => answer.probability ?? -1 },
  { name: "Unsure", key: ({ answer }) => (isUnsure(answer) ? 0 : 1) },
  { name: "Review", key: ({ row }) => row.text },
];

export class ResultTable {
  private readonly search = h("input", {
    type: "search",
    id: "search",
    placeholder: "words in the review",
    oninput: () => this.findSoon(),
  });
  private readonly size = h("span", { class: "quiet", role: "status" });
  private readonly body = h("tbody", {});
  private readonly heads = COLUMNS.map(({ name }, column) =>
    h("th", { scope: "col" }, h("button", { type: "button", onclick: () => this.sort(column) }, name)),
  );
  private readonly back = h("button", { type: "button", onclick: () => this.turn(-1) }, "← Previous");
  private readonly next = h("button", { type: "button", onclick: () => this.turn(1) }, "Next →");
  private readonly where = h("span", { class: "quiet", role: "status" });
  private readonly scroller = h(
    "div",
    { class: "scroller wide", tabindex: 0, role: "region", "aria-label": "Table of the reviews" },
    h("table", { class: "answers" }, h("thead", {}, h("tr", {}, ...this.heads)), this.body),
  );
  readonly element = h(
    "section",
    { "aria-labelledby": "all-title" },
    h("h3", { id: "all-title" }, "All reviews"),
    h("div", { class: "row" }, h("label", { for: "search" }, "Search "), this.search, this.size),
    this.scroller,
    h("div", { class: "row pages" }, this.back, this.where, this.next),
  );
  private readonly findSoon = debounced(150, () => this.find());
  /** Indices of the reviews that were found, sorted. */
  private found: number[];
  /** What is searched for. */
  private wanted: RegExp | null = null;
  private column = 0;
  private ascending = true;
  private page = 0;

  constructor(
    private readonly scored: Scored[],
    private readonly onOpen: (text: string) => void,
  ) {
    this.found = scored.map((_, index) => index);
    this.draw();
  }

  private find(): void {
    const words = this.search.value.split(/\s+/).filter((word) => word !== "");
    this.wanted = words.length ? new RegExp(words.map(literally).join(BETWEEN), "iu") : null;
    const { wanted } = this;
    this.found = this.scored.flatMap(({ row }, index) => (!wanted || wanted.test(row.text) ? [index] : []));
    this.order();
  }

  private sort(column: number): void {
    this.ascending = this.column === column ? !this.ascending : !COLUMNS[column].largestFirst;
    this.column = column;
    this.order();
  }

  private order(): void {
    const { key } = COLUMNS[this.column],
      direction = this.ascending ? 1 : -1;
    const keys = new Map(this.found.map((index) => [index, key(this.scored[index], index)]));
    this.found.sort((a, b) => {
      const one = keys.get(a)!,
        other = keys.get(b)!;
      return direction * (one < other ? -1 : one > other ? 1 : 0) || a - b;
    });
    this.page = 0;
    this.draw();
  }

  private turn(pages: number): void {
    const last = Math.ceil(this.found.length / PAGE) - 1;
    this.page = Math.max(0, Math.min(this.page + pages, last));
    this.scroller.scrollTop = 0;
    this.draw();
  }

  private draw(): void {
    const pages = Math.max(1, Math.ceil(this.found.length / PAGE)),
      start = this.page * PAGE;
    const rows = this.found.slice(start, start + PAGE).map((index) => this.row(this.scored[index]));
    const none = h("tr", {}, h("td", { colspan: COLUMNS.length }, "No review contains this."));
    this.body.replaceChildren(...(rows.length ? rows : [none]));
    this.heads.forEach((head, column) => {
      head.setAttribute("aria-sort", column !== this.column ? "none" : this.ascending ? "ascending" : "descending");
    });
    this.size.textContent = `${count(this.found.length)} of ${count(this.scored.length)}`;
    this.where.textContent = `page ${this.page + 1} of ${count(pages)}`;
    // a disabled button would lose the focus
    this.back.setAttribute("aria-disabled", String(this.page === 0));
    this.next.setAttribute("aria-disabled", String(this.page >= pages - 1));
  }

  private row({ row, answer }: Scored): HTMLElement {
    const shown = shortened(row.text, this.wanted ? row.text.search(this.wanted) : 0);
    return h(
      "tr",
      {},
      h("td", { class: "quiet" }, row.place),
      h("td", { class: answer.label ?? "" }, answer.label ?? answer.reason ?? ""),
      h("td", { class: "number" }, answer.probability === null ? "" : percent(answer.probability)),
      h("td", {}, isUnsure(answer) ? "unsure" : ""),
      h("td", {}, h("button", { type: "button", class: "link", onclick: () => this.onOpen(row.text) }, shown)),
    );
  }
}

/** A text without words has no answer that could be unsure. */
function isUnsure({ label, uncertain }: Prediction): boolean {
  return label !== null && uncertain;
}
