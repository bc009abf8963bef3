// The page: loads the model, forbids itself further requests, and shows the views.

import { forbidRequests, type Loaded, loadPage, startWorker } from "./loading.ts";
import type { Reading } from "./model/predictor.ts";
import { Reader } from "./reader.ts";
import { FileView } from "./view/file.ts";
import { ReviewView } from "./view/review.ts";
import { UnitView } from "./view/unit.ts";

declare global {
  /** For whoever wants the numbers: `await sentiment.read("a review")` in the browser's console. */
  var sentiment: { read(text: string): Promise<Reading> };
}

const VIEWS = ["review", "file", "unit"] as const;

async function start(): Promise<void> {
  const loading = byId("loading");
  loading.hidden = false;
  try {
    const bar = loading.querySelector("progress")!;
    const loaded = await loadPage((share) => (bar.value = share));
    forbidRequests();
    const worker = await startWorker(loaded);
    const reader = new Reader(worker);
    const review = new ReviewView(byId("review"), reader);
    new FileView(byId("file"), loaded, (text) => {
      location.hash = "review";
      showView();
      review.open(text);
    });
    new UnitView(byId("unit"));
    globalThis.sentiment = { read: readerOfItsOwn(loaded) };
    byId("model").textContent = describeModel(loaded.name, loaded.files.config.model);
    loading.remove();
    showView();
    addEventListener("hashchange", showView);
  } catch (error) {
    loading.replaceChildren(
      Object.assign(document.createElement("p"), { className: "problem", textContent: message(error) }),
    );
    loading.setAttribute("role", "alert");
  }
}

/** Reads texts one after the other, with a worker of its own that starts with the first. */
function readerOfItsOwn(loaded: Loaded): (text: string) => Promise<Reading> {
  let reader: Promise<Reader> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  return (text) => {
    reader ??= startWorker(loaded).then((worker) => new Reader(worker));
    const read = async (): Promise<Reading> => (await reader!).read(text);
    const reading = last.then(read, read);
    last = reading;
    return reading;
  };
}

function message(error: unknown): string {
  if (typeof WebAssembly === "undefined") return "This browser has no WebAssembly, which the model needs.";
  return error instanceof Error ? error.message : String(error);
}

function describeModel(
  name: string,
  { num_layers, hidden_dim, vocab_size }: { num_layers: number; hidden_dim: number; vocab_size: number },
): string {
  return `Model ${name}: ${num_layers} LSTM layer${num_layers > 1 ? "s" : ""} of ${hidden_dim} units, ${(vocab_size - 3).toLocaleString("en")} words.`;
}

function showView(): void {
  const wanted = VIEWS.find((view) => `#${view}` === location.hash) ?? "review";
  for (const view of VIEWS) byId(view).hidden = view !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${byId(wanted).querySelector("h1")?.textContent} – SentimentRNN`;
}

function byId(id: string): HTMLElement {
  return document.getElementById(id)!;
}

document.querySelector(".skip")!.addEventListener("click", (event) => {
  event.preventDefault(); // "#main" would be no view
  byId("main").focus();
});
for (const type of ["dragover", "drop"] as const) {
  addEventListener(type, (event) => {
    if (event.dataTransfer?.types.includes("Files")) event.preventDefault(); // a browser would leave the page for the file
  });
}
void start();
