// Fields of comma-separated values, with the decisions of Python's `csv` module: a row that is broken ends with its line,
// and the next line is the next row. Papa Parse reads on in a broken row and does not say on which line a row begins.

import { LINE_CHARACTERS, withoutEnd } from "./lines.ts";
import { withCommas } from "./python.ts";

/** Fields of a row, from line `first` to line `last`; or the problem, and no fields. Blank lines give no row. */
export type OnRow = (fields: string[], problem: string, first: number, last: number) => void;

export const TOO_LONG = `a field is longer than ${withCommas(LINE_CHARACTERS)} characters`;

export class CsvParser {
  private line = 0;
  private first = 1;
  private fields: string[] = [];
  /** Pieces of a field in quotation marks that has not ended; undefined outside of such a field. */
  private open: string[] | undefined;
  private size = 0;

  constructor(
    private readonly delimiter: string,
    /** Whether a character after a closing quotation mark is an error. */
    private readonly strict: boolean,
    private readonly onRow: OnRow,
  ) {}

  /** Parse a line, with its line end. */
  push(line: string): void {
    this.line++;
    const body = withoutEnd(line);
    if (this.open === undefined) {
      this.first = this.line;
      if (body === "") return;
    }
    let at = 0;
    for (;;) {
      if (this.open === undefined && body[at] === '"') {
        this.open = [];
        this.size = 0;
        at++;
      }
      if (this.open !== undefined) {
        const quote = line.indexOf('"', at);
        if (!this.add(line.slice(at, quote < 0 ? undefined : quote))) return this.finish(TOO_LONG);
        if (quote < 0) return; // the field goes on in the next line
        at = quote + 1;
        if (body[at] === '"') {
          this.add('"');
          at++;
          continue;
        }
        if (at < body.length && body[at] !== this.delimiter && this.strict) {
          return this.finish("a quotation mark inside a quoted field; write it twice");
        }
      }
      const found = body.indexOf(this.delimiter, at);
      const end = found < 0 ? body.length : found;
      // after a quoted field this is empty, or what a reader that is not strict appends to it
      if (end - at > LINE_CHARACTERS) return this.finish(TOO_LONG);
      this.fields.push(this.open === undefined ? body.slice(at, end) : this.open.join("") + body.slice(at, end));
      this.open = undefined;
      if (found < 0) return this.finish("");
      at = end + 1;
    }
  }

  end(): void {
    if (this.open === undefined) return;
    if (this.strict) return this.finish("a quotation mark opens a field and is never closed");
    this.fields.push(this.open.join(""));
    this.finish("");
  }

  private add(part: string): boolean {
    if (part !== "") this.open?.push(part);
    this.size += part.length;
    return this.size <= LINE_CHARACTERS;
  }

  private finish(problem: string): void {
    const fields = problem === "" ? this.fields : [];
    this.fields = [];
    this.open = undefined;
    this.onRow(fields, problem, this.first, this.line);
  }
}
