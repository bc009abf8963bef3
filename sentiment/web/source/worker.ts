// Runs beside the page, so that the page never waits: reads what is typed, or scores a file. One worker does one of them.

import { Predictor, type ModelFiles, type Reading } from "./model/predictor.ts";
import type { Prediction } from "./model/prediction.ts";
import {
  type Choice,
  ChooseColumn,
  type ColumnNames,
  InputError,
  readTable,
  type Row,
  type Table,
  TableInText,
} from "./table/reader.ts";

export type ToWorker =
  | { kind: "load"; files: ModelFiles }
  | { kind: "read"; id: number; text: string; contributions: boolean }
  | { kind: "score"; file: File; names: ColumnNames; choice: Choice };

export type FromWorker =
  | { kind: "loaded" }
  | { kind: "failed"; id?: number; message: string }
  | { kind: "reading"; id: number; reading: Reading }
  | { kind: "contributions"; id: number; first: number; values: Float32Array }
  | { kind: "reading file"; share: number }
  | { kind: "choose column"; message: string; candidates: string[]; columns: string[]; headerUnclear: boolean }
  | { kind: "table"; table: TableHead }
  | { kind: "scored"; rows: Row[]; answers: Prediction[] };

/** A file of reviews without its rows, which come with their answers; `rows` is their number. */
export type TableHead = Omit<Table, "rows"> & { rows: number };

/** Reviews that are scored between two messages: some tenths of a second. */
const BATCH = 128;

/** Milliseconds after which messages are handled while a long text is computed. */
const LONGEST_TURN = 20;

let predictor: Predictor;
/** The newest text; older ones are not finished. */
let newest = 0;

addEventListener("message", ({ data }: MessageEvent<ToWorker>) => {
  answer(data).catch((error: unknown) => {
    if (error instanceof ChooseColumn) {
      const { message, candidates, columns, headerUnclear } = error;
      send({ kind: "choose column", message, candidates, columns, headerUnclear });
      return;
    }
    if (!(error instanceof InputError)) console.error(error);
    send({
      kind: "failed",
      id: data.kind === "read" ? data.id : undefined,
      message: error instanceof Error ? error.message : String(error),
    });
  });
});

async function answer(request: ToWorker): Promise<void> {
  if (request.kind === "load") {
    predictor = await Predictor.load(request.files);
    send({ kind: "loaded" });
  } else if (request.kind === "read") {
    await read(request.id, request.text, request.contributions);
  } else {
    await score(request.file, request.names, request.choice);
  }
}

async function read(id: number, text: string, contributions: boolean): Promise<void> {
  newest = id;
  await nextTurn(); // a newer text may be waiting
  if (id !== newest) return;
  const reading = predictor.read(text);
  send({ kind: "reading", id, reading });
  for (let first = 0; contributions && first < reading.words.length;) {
    const values = await finished(predictor.contributions(reading, first), id);
    if (values === null) return;
    send({ kind: "contributions", id, first, values });
    first += values.length;
  }
}

/** What a computation gives; null if a newer text has come meanwhile. */
async function finished<Result>(computation: Generator<void, Result>, id: number): Promise<Result | null> {
  for (let began = performance.now(); ;) {
    const { done, value } = computation.next();
    if (done) return value;
    if (performance.now() - began < LONGEST_TURN) continue;
    await nextTurn();
    if (id !== newest) return null;
    began = performance.now();
  }
}

async function score(file: File, names: ColumnNames, choice: Choice): Promise<void> {
  const onProgress = (share: number): void => send({ kind: "reading file", share });
  const { rows, ...table } = await readTable(file, names, choice, onProgress).catch((error: unknown) => {
    if (error instanceof TableInText) return readAsTable(file, names, { ...choice, format: error.format }, onProgress);
    throw error;
  });
  send({ kind: "table", table: { ...table, rows: rows.length } });
  for (let first = 0; first < rows.length; first += BATCH) {
    const part = rows.slice(first, first + BATCH);
    send({ kind: "scored", rows: part, answers: predictor.predict(part.map(({ text }) => text)) });
  }
}

async function readAsTable(
  file: File,
  names: ColumnNames,
  choice: Choice,
  onProgress: (share: number) => void,
): Promise<Table> {
  const table = await readTable(file, names, choice, onProgress);
  return { ...table, note: `The first line names columns, so the file was read as ${choice.format}. ${table.note}` };
}

/** Lets messages that have arrived be handled. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

function send(response: FromWorker): void {
  postMessage(response);
}
