// The rows of .csv and .tsv files, one by one, strict about the number of fields. Like `sentiment/tables/delimited.py`.

import { checkHeader } from "./columns.ts";
import { CsvParser, TOO_LONG } from "./csv.ts";
import { InputError } from "./errors.ts";
import { LINE_CHARACTERS, LineSplitter } from "./lines.ts";
import { isBlank, quoted } from "./python.ts";
import { NOT_DECODED, type IsDamaged, type OnRecord, type RecordParser } from "./records.ts";

export const DELIMITERS: [string, string][] = [
  [",", "commas"],
  [";", "semicolons"],
  ["\t", "tabs"],
  ["|", "|"],
];

/** Lines from which the delimiter is found. */
const FIRST_LINES = 20;

/** First line in files for Excel, which names the delimiter. */
const SEPARATOR_LINE = /^"?sep=([^\n])"?\r?\n?$/u;

export interface DelimitedOptions {
  /** Name of the file, for messages. */
  name: string;
  header: boolean;
  /** Usual names of the column of the review. */
  textNames: readonly string[];
  /** Delimiter of the format; another one that is found is reported. */
  usual: string;
  isDamaged: IsDamaged;
  onNote: (note: string) => void;
}

/** Rows of a file with comma-separated values. Blank lines are ignored. */
export class DelimitedRecords implements RecordParser {
  private readonly splitter = new LineSplitter((line) => this.line(line), true);
  /** The first lines, until the delimiter is known. */
  private start: string[] = [];
  private startSize = 0;
  private parser: CsvParser | undefined;
  private delimiter = "";
  private skipped = 0;
  private header: string[] = [];
  private names: string[] | undefined;
  private rows = 0;

  constructor(
    private readonly options: DelimitedOptions,
    private readonly onRecord: OnRecord,
  ) {}

  push(piece: string): void {
    this.splitter.push(piece);
  }

  end(): void {
    this.splitter.end();
    this.begin().end();
    if (this.names !== undefined && this.rows === 0) {
      checkHeader(this.options.name, this.names, this.options.textNames);
    }
  }

  private line(line: string): void {
    if (this.parser !== undefined) return this.parser.push(line);
    this.start.push(line);
    this.startSize += line.length;
    if (this.start.length === FIRST_LINES || this.startSize > LINE_CHARACTERS) this.begin();
  }

  /** Find the delimiter, and parse the first lines. */
  private begin(): CsvParser {
    if (this.parser !== undefined) return this.parser;
    const separator = SEPARATOR_LINE.exec(this.start[0] ?? "");
    if (separator !== null) this.skipped = 1;
    const lines = this.start.slice(this.skipped);
    this.delimiter = separator?.[1] ?? likelyDelimiter(lines, this.options.usual);
    if (separator === null && this.delimiter !== this.options.usual) {
      this.options.onNote(`The fields are divided by ${this.described}.`);
    }
    this.parser = new CsvParser(this.delimiter, true, (...row) => this.row(...row));
    this.start = [];
    for (const line of lines) this.parser.push(line);
    return this.parser;
  }

  private get described(): string {
    return new Map(DELIMITERS).get(this.delimiter) ?? this.delimiter;
  }

  private row(fields: string[], problem: string, first: number, last: number): void {
    const { name, header, isDamaged } = this.options;
    if (this.names === undefined && header) {
      if (problem !== "") throw new InputError(`${name}: the header cannot be read: ${problem}.`);
      if (fields.some(isDamaged)) throw new InputError(`${name}: the header ${NOT_DECODED}.`);
      this.names = columnNames(fields, name, this.options.onNote);
      this.header = fields;
      return;
    }
    if (this.names === undefined || this.names.length === 0) {
      this.names = fields.map((_, index) => String(index + 1));
    }
    this.rows++;
    const [from, to] = [first + this.skipped, last + this.skipped];
    const place = from === to ? `line ${from}` : `lines ${from} to ${to}`;
    if (problem !== "" && (this.names.length === 1 || problem === TOO_LONG)) {
      // what follows could be a piece of this row
      throw new InputError(
        `${name}: ${place}: ${problem}. It cannot be skipped, since it is not clear where the next row begins; correct it.`,
      );
    }
    const found = problem || this.problemOf(fields, this.names);
    this.onRecord(found === "" ? { place, names: this.names, values: fields } : { place, problem: found });
  }

  private problemOf(fields: string[], names: string[]): string {
    const { header, isDamaged } = this.options;
    if (fields.length !== names.length) {
      let hint = fields.length > names.length ? "; put a field that contains the delimiter in quotation marks" : "";
      if (header && names.length === 1) hint = "; if the first line is a title, remove it";
      const first = `the ${header ? "header" : "first row"} has ${names.length}, divided by ${this.described}`;
      return `${fields.length} field${fields.length > 1 ? "s" : ""}, but ${first}${hint}`;
    }
    if (fields.length > 1 && header && fields.every((field, index) => field === this.header[index])) {
      return "the header again, perhaps because two files were joined";
    }
    if (this.delimiter === "\t" && fields.some((field) => field.includes("\t") && field.includes("\n"))) {
      return "a quotation mark joins rows";
    }
    return fields.some(isDamaged) ? NOT_DECODED : "";
  }
}

/** Names of the columns: a name that is empty or repeated gets its number, so that no column hides another. */
function columnNames(header: string[], file: string, onNote: (note: string) => void): string[] {
  const isNamed = (name: string): boolean => !isBlank(name);
  if (!header.some(isNamed)) {
    throw new InputError(`${file}: the header is empty; name the columns, such as text,label.`);
  }
  const taken = new Set(header);
  const names = new Set<string>();
  header.forEach((name, index) => {
    const number = index + 1;
    let unique = isNamed(name) ? name : `column ${number}`;
    while (names.has(unique) || (unique !== name && taken.has(unique))) unique += ` ${number}`;
    if (unique !== name) {
      const found = isNamed(name) ? `Column ${quoted(name)} occurs twice` : "A column has no name";
      onNote(`${found}; the one at position ${number} is called ${quoted(unique)}.`);
    }
    names.add(unique);
  });
  return Array.from(names);
}

/** The delimiter that divides the most rows like the first one, and this into the most fields. */
function likelyDelimiter(lines: string[], usual: string): string {
  let best = usual;
  let bestQuality = [0, 0, 0, 0];
  for (const [delimiter] of DELIMITERS) {
    let counts: number[] = [];
    let isBroken = false;
    const parser = new CsvParser(delimiter, false, (fields, problem) => {
      isBroken ||= problem !== "";
      counts.push(fields.length);
    });
    for (const line of lines) parser.push(line);
    parser.end();
    if (isBroken || counts.length === 0) counts = [0];
    const like = counts.filter((count) => count === counts[0]).length / counts.length;
    const quality = [counts[0] > 1 ? 1 : 0, like, counts[0], delimiter === usual ? 1 : 0];
    const differs = quality.findIndex((value, index) => value !== bestQuality[index]);
    if (quality[0] === 1 && differs >= 0 && quality[differs] > bestQuality[differs]) {
      best = delimiter;
      bestQuality = quality;
    }
  }
  return best;
}
