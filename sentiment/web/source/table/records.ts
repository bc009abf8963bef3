// The rows of .txt and .jsonl files, one by one; for a row that cannot be read, the reason. Like
// `sentiment/tables/records.py`.

import { parseJson, type Json } from "./json.ts";
import { LINE_CHARACTERS, LineSplitter, withoutEnd } from "./lines.ts";
import { isBlank, strip, withCommas } from "./python.ts";

/** One row: the names and values of its columns, or the problem. */
export type TableRow =
  { place: string; names: readonly string[]; values: readonly Json[] } | { place: string; problem: string };

export type OnRecord = (record: TableRow) => void;

/** What takes the text of a file in pieces and gives its rows. */
export interface RecordParser {
  push(piece: string): void;
  end(): void;
}

/** Whether a text has bytes that do not belong to its encoding. */
export type IsDamaged = (text: string) => boolean;

export const NOT_DECODED = "contains bytes that are not UTF-8";

const TEXT_ONLY = ["text"];

/** One review per line, in the column `text`; an empty line is a row without a text. */
export function lineRecords(onRecord: OnRecord, isDamaged: IsDamaged): RecordParser {
  return lineParser(true, onRecord, isDamaged, (place, line) => onRecord({ place, names: TEXT_ONLY, values: [line] }));
}

/** One JSON object per line; blank lines are ignored. */
export function jsonlRecords(onRecord: OnRecord, isDamaged: IsDamaged): RecordParser {
  const shared = new Map<string, readonly string[]>(); // most rows have the same names, which are kept once
  return lineParser(false, onRecord, isDamaged, (place, line) => {
    if (isBlank(line)) return;
    let value: Json;
    try {
      value = parseJson(line);
    } catch (error) {
      onRecord({ place, problem: jsonProblem(line, error) });
      return;
    }
    if (!(value instanceof Map)) {
      onRecord({ place, problem: 'not an object such as {"text": "..."}' });
      return;
    }
    const found = Array.from(value.keys());
    const key = JSON.stringify(found);
    const names = shared.get(key) ?? found;
    shared.set(key, names);
    onRecord({ place, names, values: Array.from(value.values()) });
  });
}

function lineParser(
  anyEnd: boolean,
  onRecord: OnRecord,
  isDamaged: IsDamaged,
  onLine: (place: string, line: string) => void,
): RecordParser {
  let number = 0;
  return new LineSplitter((line) => {
    const place = `line ${++number}`;
    const length = line.length - (line.endsWith("\n") ? 1 : 0);
    if (length >= LINE_CHARACTERS) {
      onRecord({ place, problem: `longer than ${withCommas(LINE_CHARACTERS)} characters` });
    } else if (isDamaged(line)) {
      onRecord({ place, problem: NOT_DECODED });
    } else {
      onLine(place, withoutEnd(line));
    }
  }, anyEnd);
}

function jsonProblem(line: string, error: unknown): string {
  const stripped = strip(line);
  if (stripped.startsWith("[") && !stripped.endsWith("]")) {
    return "not valid JSON; if the file is one JSON array, write one object per line instead";
  }
  if (line.startsWith("\ufeff")) {
    return "starts with a byte order mark, perhaps because two files were joined; remove it";
  }
  const reason = error instanceof Error ? error.message : String(error);
  return `not valid JSON: ${reason}`;
}
