// A file of reviews: dropped or chosen, scored by a worker of its own, with progress and a way to stop.

import { type Loaded, startWorker } from "../loading.ts";
import type { Choice } from "../table/reader.ts";
import type { ToWorker, FromWorker, TableHead } from "../worker.ts";
import { count, h } from "./dom.ts";
import { Results, type Scored } from "./results.ts";

const KINDS = ".csv,.tsv,.jsonl,.ndjson,.txt,.gz";

export class FileView {
  private readonly field = h("input", {
    type: "file",
    id: "reviews",
    accept: KINDS,
    onchange: () => this.choose(this.field.files),
  });
  private readonly zone = h(
    "div",
    { class: "zone" },
    h("p", {}, h("strong", {}, "Drop a file of reviews here"), ", or"),
    this.field,
    h("label", { for: "reviews" }, "Choose a file"),
    h(
      "p",
      { class: "quiet" },
      "CSV, TSV or JSONL with a column of reviews, or a text file with one review per line. The file stays on your machine.",
    ),
  );
  private readonly notice = h("p", { class: "note", role: "alert", hidden: true });
  private readonly work = h("div", {});
  /** Answers for the last file that was scored; they stay until there are others. */
  private readonly results = h("div", {});
  private worker: Worker | null = null;
  /** Counts the files, so that a message about an earlier one is not shown. */
  private turn = 0;

  constructor(
    root: HTMLElement,
    private readonly loaded: Loaded,
    private readonly onOpen: (text: string) => void,
  ) {
    root.append(h("h1", {}, "How positive are many reviews?"), this.zone, this.notice, this.work, this.results);
    document.addEventListener("dragover", (event) => {
      this.zone.classList.toggle("over", event.dataTransfer?.types.includes("Files"));
    });
    document.addEventListener("dragleave", () => this.zone.classList.remove("over"));
    document.addEventListener("drop", (event) => {
      this.zone.classList.remove("over");
      if (!event.dataTransfer?.files.length) return;
      location.hash = "file";
      this.choose(event.dataTransfer.files);
    });
  }

  private choose(files: FileList | null): void {
    if (!files?.length) return;
    const notice = this.worker
      ? "Another file is being scored; cancel it first."
      : files.length > 1
        ? `${files.length} files: give one at a time.`
        : "";
    this.say(notice);
    if (notice === "") void this.start(files[0]);
    this.field.value = ""; // so that the same file can be chosen again
  }

  private say(notice: string): void {
    this.notice.textContent = notice;
    this.notice.hidden = notice === "";
  }

  private async start(file: File, choice: Choice = {}): Promise<void> {
    this.stop();
    const turn = ++this.turn;
    const bar = h("progress", { max: 1, "aria-label": `Scoring ${file.name}` });
    const said = h("p", {}, `Reading ${file.name} …`);
    const spoken = h("p", { class: "hidden", role: "status" });
    const scored: Scored[] = [];
    let table: TableHead | null = null;
    const finish = (stopped: boolean): void => {
      this.stop();
      this.say("");
      if (table) {
        this.work.replaceChildren();
        this.results.replaceChildren(new Results(file.name, table, scored, stopped, this.onOpen).element);
      } else {
        const nothing = h("p", { tabindex: -1 }, "Cancelled; nothing was scored.");
        this.work.replaceChildren(nothing);
        nothing.focus();
      }
    };
    const cancel = h("button", { type: "button", onclick: () => finish(true) }, "Cancel");
    this.work.replaceChildren(h("div", { class: "running" }, said, spoken, h("div", { class: "row" }, bar, cancel)));
    let worker: Worker;
    try {
      worker = await startWorker(this.loaded);
    } catch (error) {
      if (turn === this.turn) this.fail(error instanceof Error ? error.message : String(error));
      return;
    }
    if (turn !== this.turn) {
      worker.terminate();
      return;
    }
    this.worker = worker;
    const began = performance.now();
    worker.onerror = (event) => this.fail(event.message || "The file is too large for this browser.");
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "failed") this.fail(data.message);
      else if (data.kind === "choose column") this.askForColumn(file, choice, data);
      else if (data.kind === "reading file") bar.value = data.share;
      else if (data.kind === "table") {
        table = data.table;
        if (table.rows === 0) finish(false);
      } else if (data.kind === "scored" && table) {
        data.rows.forEach((row, index) => scored.push({ row, answer: data.answers[index] }));
        bar.value = scored.length / table.rows;
        const quarters = Math.floor((4 * scored.length) / table.rows);
        const spokenNow = `${25 * quarters}% scored`; // a screen reader says it when it changes
        if (quarters && spoken.textContent !== spokenNow) spoken.textContent = spokenNow;
        const rate = scored.length / ((performance.now() - began) / 1000);
        said.textContent = `${count(scored.length)} of ${count(table.rows)} reviews, ${count(Math.round(rate))} a second${left(table.rows - scored.length, rate)}`;
        if (scored.length === table.rows) finish(false);
      }
    };
    const request: ToWorker = { kind: "score", file, names: this.loaded.files.tables.columns, choice };
    worker.postMessage(request);
  }

  /** Ends the worker. */
  private stop(): void {
    this.worker?.terminate();
    this.worker = null;
    this.turn++;
  }

  private fail(message: string): void {
    this.stop();
    this.say("");
    this.work.replaceChildren(h("p", { class: "problem", role: "alert" }, message));
  }

  private askForColumn(
    file: File,
    choice: Choice,
    { message, candidates, columns, headerUnclear }: Extract<FromWorker, { kind: "choose column" }>,
  ): void {
    this.stop();
    const names = [...new Set([...candidates, ...columns])];
    const select = h("select", { id: "column" }, ...names.map((name) => h("option", { value: name }, name)));
    const again = (more: Choice): void => void this.start(file, { ...choice, ...more });
    this.work.replaceChildren(
      h(
        "form",
        {
          class: "ask",
          onsubmit: (event: Event) => {
            event.preventDefault();
            again({ textColumn: select.value });
          },
        },
        h("p", { role: "alert" }, message),
        h(
          "div",
          { class: "row" },
          h("label", { for: "column" }, "Column of the reviews"),
          select,
          h("button", { class: "primary" }, "Read it"),
        ),
        headerUnclear &&
          h("button", { type: "button", onclick: () => again({ header: false }) }, "The first line is a review"),
      ),
    );
    select.focus();
  }
}

function left(reviews: number, rate: number): string {
  const seconds = reviews / rate;
  if (seconds < 5 || !Number.isFinite(seconds)) return "";
  return seconds < 90 ? `, ${Math.round(seconds)} seconds left` : `, ${Math.round(seconds / 60)} minutes left`;
}
