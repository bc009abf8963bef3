// Write the rows of a table with their answers, as `sentiment predict --input X --output Y` does: all columns as they
// were, then those of the answers. Like `sentiment/tables/writer.py`.

import type { Prediction } from "../model/prediction.ts";
import { floatText } from "./python.ts";
import type { Table } from "./reader.ts";

type Cell = string | boolean | null | { number: string };

/** Characters after which a part of the output ends. */
const PART_CHARACTERS = 2 ** 20;
/** Half a character that JSON.stringify has escaped; a backslash of the text itself is doubled. */
const HALF = /(?<!\\)(?:\\\\)*\\ud[89a-f][0-9a-f]{2}/;

/** The rows of a table with their answers, one per row, in order; in the format of the table, or .csv for .txt. */
export function writeAnswers(table: Table, answers: readonly Prediction[]): Blob {
  const { rows, format } = table;
  if (answers.length !== rows.length) throw new Error(`${answers.length} answers for ${rows.length} rows`);
  if (format === "jsonl") return joined(jsonLines(table, answers), "application/x-ndjson");
  if (format === "tsv") return joined(csvLines(table, answers, "\t"), "text/tab-separated-values");
  return joined(csvLines(table, answers, ","), "text/csv");
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

function added(answer: Prediction): [string, Cell][] {
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

function* csvLines(table: Table, answers: readonly Prediction[], delimiter: string): Generator<string> {
  const special = new RegExp(`["\\r\\n${delimiter}]`);
  const line = (cells: string[]): string =>
    `${cells.map((cell) => (special.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(delimiter)}\n`;
  yield line([...table.columns, ...addedNames(table)]);
  for (const [index, { values }] of table.rows.entries()) {
    yield line([...values, ...added(answers[index]).map(([, cell]) => cellText(cell))]);
  }
}

function cellText(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "boolean") return cell ? "True" : "False";
  return typeof cell === "string" ? cell : cell.number;
}

function* jsonLines(table: Table, answers: readonly Prediction[]): Generator<string> {
  const names = addedNames(table).map((name) => JSON.stringify(name));
  for (const [index, row] of table.rows.entries()) {
    const own = row.names.map((name, at) => {
      return `${JSON.stringify(name)}: ${row.values[at] || JSON.stringify(row.text)}`;
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
