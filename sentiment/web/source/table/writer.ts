// Write the rows of a table with their answers, as `sentiment predict --input X --output Y` does: all columns as they
// were, then those of the answers. Like `sentiment/tables/writer.py`.

import { floatText } from "./python.ts";
import type { Format, Row, Table } from "./reader.ts";
import { ColumnTypes } from "./values.ts";

/** The answer for one review; named and meant as in `sentiment/inference/prediction.py`. */
export interface Answer {
  label: string | null;
  probability: number | null;
  score: number | null;
  tokens: number;
  unknown_tokens: number;
  truncated: boolean;
  uncertain: boolean;
  reason: string | null;
}

export type OutputFormat = Exclude<Format, "txt">;

type Cell = string | boolean | null | { number: string };

/** Characters after which a part of the output ends. */
const PART_CHARACTERS = 2 ** 20;
/** The escape of half a character, which no other escape has: JSON.stringify writes no other escapes of this kind. */
const HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** The rows of a table with their answers, one per row, in order. */
export function writeAnswers(table: Table, answers: readonly Answer[], format = outputFormat(table)): Blob {
  const { rows } = table;
  if (answers.length !== rows.length) throw new Error(`${answers.length} answers for ${rows.length} rows`);
  if (format === "jsonl") return joined(jsonLines(table, answers), "application/x-ndjson");
  if (format === "tsv") return joined(csvLines(table, answers, "\t"), "text/tab-separated-values");
  return joined(csvLines(table, answers, ","), "text/csv");
}

/** Format of the answers, if nobody asks for another one. */
export function outputFormat({ format }: Pick<Table, "format">): OutputFormat {
  return format === "txt" ? "csv" : format;
}

function joined(lines: Iterable<string>, type: string): Blob {
  const parts: Blob[] = []; // kept outside of the memory of this script
  let group: string[] = [];
  let size = 0;
  for (const line of lines) {
    group.push(line);
    size += line.length;
    if (size > PART_CHARACTERS) {
      parts.push(new Blob([group.join("")]));
      group = [];
      size = 0;
    }
  }
  return new Blob([...parts, group.join("")], { type: `${type};charset=utf-8` });
}

function added(answer: Answer): [string, Cell][] {
  const { label, probability, uncertain } = answer;
  return [
    ["label", label],
    ["probability", float(probability)],
    ["score", float(answer.score)],
    ["tokens", { number: String(answer.tokens) }],
    ["unknown_tokens", { number: String(answer.unknown_tokens) }],
    ["truncated", answer.truncated],
    ["uncertain", uncertain],
    ["reason", answer.reason],
    ["polarity", float(probability === null ? null : 2 * probability - 1)],
    ["three_way", uncertain && label !== null ? "neutral" : label],
  ];
}

function float(value: number | null): Cell {
  return value === null ? null : { number: floatText(value) };
}

/** Names of the columns to add: `predicted_...` if the table has a column of that name. */
function addedNames(table: Table): string[] {
  const nothing = { label: null, probability: null, score: null, tokens: 0, unknown_tokens: 0, reason: null };
  const taken = new Set(table.columns);
  return added({ ...nothing, truncated: false, uncertain: false }).map(([name]) => {
    let unique = name;
    while (taken.has(unique)) unique = `predicted_${unique}`;
    return unique;
  });
}

function* csvLines(table: Table, answers: readonly Answer[], delimiter: string): Generator<string> {
  const special = new RegExp(`["\\r\\n${delimiter}]`);
  const line = (cells: string[]): string =>
    `${cells.map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`;
  yield line([...table.columns.map(withoutHalves), ...addedNames(table)]);
  for (const [index, row] of table.rows.entries()) {
    const own = table.format === "jsonl" ? cellsOfJson(row, table) : row.values;
    yield line([...own, ...added(answers[index]).map(([, cell]) => cellText(cell))]);
  }
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "boolean") return cell ? "True" : "False";
  return typeof cell === "string" ? cell : cell.number;
}

/** The cells of a row of JSON, in the order of the columns of all rows. */
function cellsOfJson(row: Row, table: Table): string[] {
  const values = new Map(row.names.map((name, index) => [name, row.values[index]]));
  return table.columns.map((name) => {
    const value = values.get(name);
    if (value === "") return withoutHalves(row.text);
    if (value === undefined || value === "null") return "";
    if (value === "true" || value === "false") return cellText(value === "true");
    return value.startsWith('"') ? withoutHalves(JSON.parse(value) as string) : value;
  });
}

/** A text without halves of characters, which JSON allows but UTF-8 does not. */
function withoutHalves(text: string): string {
  return text.replace(/\p{Surrogate}/gu, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

function* jsonLines(table: Table, answers: readonly Answer[]): Generator<string> {
  const names = addedNames(table).map((name) => JSON.stringify(name));
  const types = table.format === "csv" || table.format === "tsv" ? new ColumnTypes(table) : undefined;
  for (const [index, row] of table.rows.entries()) {
    const own = row.names.map((name, at) => {
      const value = row.values[at];
      if (types !== undefined) return `${JSON.stringify(name)}: ${types.jsonOf(at, value)}`;
      const isJson = table.format === "jsonl" && value !== "";
      return `${JSON.stringify(name)}: ${isJson ? value : JSON.stringify(row.text || value)}`;
    });
    const more = added(answers[index]).map(([, cell], at) => `${names[at]}: ${cellJson(cell)}`);
    const line = `{${[...own, ...more].join(", ")}}`;
    yield `${line.includes("\\ud") && HALF.test(line) ? inAscii(line) : line}\n`;
  }
}

function cellJson(cell: Cell): string {
  return cell !== null && typeof cell === "object" ? cell.number : JSON.stringify(cell);
}

function inAscii(line: string): string {
  return line.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
