// Read a file of reviews: its rows, and a sentence for each row that cannot be read. The rules are those of
// `sentiment/tables/reader.py`. The file is read in pieces; what is kept of it is the values of its rows.

import { chooseTextColumn, isTextName, type ColumnNames } from "./columns.ts";
import { DelimitedRecords, DELIMITERS } from "./delimited.ts";
import { InputError, TableInText } from "./errors.ts";
import { formatOf, type Format } from "./formats.ts";
import { JsonNumber, jsonText, type Json } from "./json.ts";
import { encodingByMark, NotDecoded, otherEncoding, textOf, type Encoding, type Source } from "./opening.ts";
import { isBlank, quoted, strip } from "./python.ts";
import { jsonlRecords, lineRecords, type OnRecord, type TableRow, type RecordParser } from "./records.ts";

export type { ColumnNames } from "./columns.ts";
export { ChooseColumn, InputError, TableInText } from "./errors.ts";
export type { Format } from "./formats.ts";

/** A row that could be read. */
export interface Row {
  /** Place in the file, such as "line 7" or "lines 7 to 9". */
  place: string;
  /** Names of its columns. Rows share them: of .jsonl, those with the same names; of other files, all. */
  names: readonly string[];
  /** Its values, in the order of `names`. Of .jsonl they are JSON, and "" stands for a review, which `text` has. */
  values: readonly string[];
  /** The review; "" if it is null or only white space. */
  text: string;
}

export interface Problem {
  place: string;
  problem: string;
}

export interface Table {
  /** The columns of all rows. */
  columns: string[];
  /** The column of the review. */
  textColumn: string;
  rows: Row[];
  /** The rows that could not be read, in order. */
  problems: Problem[];
  format: Format;
  /** Sentences on what was found out about the file: encoding, delimiter, columns; "" if there are none. */
  note: string;
}

/** What the user has chosen, after an error that asked for it. */
export interface Choice {
  textColumn?: string;
  /** Whether the first row of a .csv or .tsv file names the columns; otherwise they are called 1, 2, 3, ... */
  header?: boolean;
  /** Format of the file, whatever its name ends in. */
  format?: Format;
}

/** Longest name of a column in the first line of a .txt file that is a table. */
const NAME_CHARACTERS = 1000;
/** Rows from which the column of the review is chosen. */
const FIRST_ROWS = 100;
/** Rows that are read to find `FIRST_ROWS` that can be read. */
const MOST_FIRST_ROWS = 10_000;

/**
 * Read a file.
 *
 * Throws `InputError` with one sentence if the file cannot be read, `ChooseColumn` if the user has to choose the column
 * of the review, and `TableInText` if a .txt file is a table. `onProgress` gets the share that was read, 0 to 1.
 */
export async function readTable(
  file: Blob & { readonly name: string },
  names: ColumnNames,
  choice: Choice = {},
  onProgress?: (share: number) => void,
): Promise<Table> {
  const { format, gzipped } = formatOf(file.name, choice.format);
  if (file.size === 0) throw new InputError(`${file.name}: the file is empty.`);
  const source: Source = { file, name: file.name, gzipped };
  const encoding = await encodingByMark(source);
  const read = (found: Encoding): Promise<Table> =>
    new TableReader(source, format, found, names, choice).read(onProgress);
  try {
    return await read(encoding);
  } catch (error) {
    if (!(error instanceof NotDecoded)) throw error;
    return await read(await otherEncoding(source, encoding));
  }
}

class TableReader {
  private readonly notes: string[] = [];
  /** The first rows, until the column of the review is known. */
  private first: TableRow[] = [];
  private firstGood = 0;
  private textColumn: string | undefined;
  private readonly columns = new Set<string>();
  private lastNames: readonly string[] = [];
  private readonly rows: Row[] = [];
  private readonly problems: Problem[] = [];

  constructor(
    private readonly source: Source,
    private readonly format: Format,
    private readonly encoding: Encoding,
    private readonly names: ColumnNames,
    private readonly choice: Choice,
  ) {
    if (encoding.note !== "") this.notes.push(encoding.note);
  }

  async read(onProgress?: (share: number) => void): Promise<Table> {
    const parser = this.parser((record) => this.take(record));
    for await (const piece of textOf(this.source, this.encoding, onProgress)) parser.push(piece);
    parser.end();
    const textColumn = this.textColumn ?? this.choose();
    if (this.rows.length + this.problems.length === 0) {
      throw new InputError(`${this.source.name}: it contains no reviews.`);
    }
    return {
      columns: Array.from(this.columns),
      textColumn,
      rows: this.rows,
      problems: this.problems,
      format: this.format,
      note: this.notes.join(" "),
    };
  }

  private parser(onRecord: OnRecord): RecordParser {
    const isDamaged = this.encoding.damaged ? (text: string) => text.includes("\ufffd") : () => false;
    if (this.format === "jsonl") return jsonlRecords(onRecord, isDamaged);
    if (this.format === "txt") return lineRecords(onRecord, isDamaged);
    const reading = {
      name: this.source.name,
      header: this.choice.header ?? true,
      textNames: this.names.text,
      usual: this.format === "tsv" ? "\t" : ",",
      isDamaged,
      onNote: (note: string) => void this.notes.push(note),
    };
    return new DelimitedRecords(reading, onRecord);
  }

  private take(record: TableRow): void {
    if (this.textColumn !== undefined) return this.add(record, this.textColumn);
    this.first.push(record);
    if (this.format === "txt" && this.first.length === 1) this.checkNoTable(record);
    if ("values" in record) this.firstGood++;
    if (this.firstGood === FIRST_ROWS || this.first.length === MOST_FIRST_ROWS) this.choose();
  }

  /** Choose the column of the review, and add the first rows. */
  private choose(): string {
    const values = new Map<string, Json[]>();
    for (const record of this.first) {
      if (!("values" in record)) continue;
      record.names.forEach((name, index) => {
        const before = values.get(name);
        if (before === undefined) values.set(name, [record.values[index]]);
        else before.push(record.values[index]);
      });
    }
    const { textColumn: wanted } = this.choice;
    let chosen = "text";
    if (values.size === 0) chosen = wanted ?? "text";
    else if (this.format !== "txt") chosen = chooseTextColumn(this.source.name, values, this.names, wanted);
    if (chosen !== "text" && wanted === undefined) this.notes.push(`The reviews are in the column ${quoted(chosen)}.`);
    this.textColumn = chosen;
    for (const record of this.first) this.add(record, chosen);
    this.first = [];
    return chosen;
  }

  private add(record: TableRow, textColumn: string): void {
    const { place } = record;
    if (!("values" in record)) {
      this.problems.push({ place, problem: record.problem });
      return;
    }
    const { names, values } = record;
    const index = names.indexOf(textColumn);
    const value = index < 0 ? null : values[index];
    const problem = index < 0 ? `the row has no ${quoted(textColumn)}` : problemOfText(value, textColumn);
    if (problem !== "") {
      this.problems.push({ place, problem });
      return;
    }
    if (names !== this.lastNames) for (const name of names) this.columns.add(name);
    this.lastNames = names;
    const text = typeof value === "string" && !isBlank(value) ? value : "";
    const stored =
      this.format === "jsonl"
        ? values.map((item, at) => (at === index && text !== "" ? "" : jsonText(item)))
        : (values as readonly string[]); // other formats have nothing but text
    this.rows.push({ place, names, values: stored, text });
  }

  /** Check that the first line of a .txt file is not the start of a table, unless the user said that it is none. */
  private checkNoTable(first: TableRow): void {
    if (this.choice.format === "txt" || !("values" in first)) return;
    const found = tableFormat(first.values[0] as string, this.names.text);
    if (found === undefined) return;
    const start = `${this.source.name}: the first line is not a review but the start of a table; `;
    if (found === "json") throw new InputError(`${start}write one object per line, and call the file .jsonl.`);
    throw new TableInText(`${start}let the file name end in .${found}.`, found);
  }
}

/** Format of a table, if a line is its first: a JSON object, or names of columns of which one is known. */
function tableFormat(line: string, textNames: readonly string[]): Format | "json" | undefined {
  const start = strip(line);
  if (start.startsWith('{"')) return "jsonl";
  if (start.startsWith("[{") || start === "[" || start === "{") return "json";
  for (const [delimiter] of DELIMITERS) {
    const names = line.split(delimiter).map((name) => name.replace(/^[ "]+|(?<![ "])[ "]+$/g, ""));
    if (names.length > 1 && names.every(isShort) && names.some((name) => isTextName(name, textNames))) {
      return delimiter === "\t" ? "tsv" : "csv";
    }
  }
  return undefined;
}

/** Whether a name has at most three words of letters and digits. */
function isShort(name: string): boolean {
  if (name.length > NAME_CHARACTERS || name.split(" ").length > 3) return false;
  return /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(name.replaceAll(" ", "_"));
}

/** Why a value cannot be a review; "" if it can, as null can, too. */
function problemOfText(value: Json, column: string): string {
  if (value === null || typeof value === "string") return "";
  if (value instanceof JsonNumber && value.text === "nan") return "";
  const kind =
    value instanceof Map
      ? "an object"
      : Array.isArray(value)
        ? "a list"
        : typeof value === "boolean"
          ? "true or false"
          : "a number";
  return `column ${quoted(column)} contains ${kind}, not text`;
}
