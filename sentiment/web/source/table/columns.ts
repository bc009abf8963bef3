// Which column is the review. Like `sentiment/tables/columns.py`; the lists of usual names come from there.

import { ChooseColumn, InputError } from "./errors.ts";
import type { Json } from "./json.ts";
import { SPACE } from "../text/patterns.ts";
import type { Tables } from "../text/tables.ts";
import { countWords, isBlank, quoted } from "./python.ts";

/** Characters of a name that are shown where it may be a review. */
const MOST_SHOWN = 60;

export type ColumnNames = Tables["columns"];

const DIGITS = String.raw`[-+]?\p{Nd}+(?:[.,]\p{Nd}+)?`;
const NUMBER = new RegExp(`^[${SPACE}]*${DIGITS}[${SPACE}]*$`, "u");
const DATE = String.raw`\p{Nd}{1,4}[-/.]\p{Nd}{1,2}[-/.]\p{Nd}{1,4}(?![\p{L}\p{N}_])`;
const LINK = `https?://[^${SPACE}]+[${SPACE}]*$`;
/** Numbers, dates and links. */
const NO_TEXT = new RegExp(`^[${SPACE}]*(?:${DIGITS}[${SPACE}]*$|${DATE}|${LINK})`, "u");
const PUNCTUATION = new RegExp(`(?:(?![${SPACE}])[^\\p{L}\\p{N}_])+|\\x01`, "u");

/** Choose the column of the review from the first values of each column; `wanted` is the one that the user chose. */
export function chooseTextColumn(
  file: string,
  values: ReadonlyMap<string, readonly Json[]>,
  names: ColumnNames,
  wanted?: string,
): string {
  const columns = Array.from(values.keys());
  const shareOfWords = (name: string, words: number): number => shareOf(values.get(name) ?? [], words);
  const described = `its columns are ${columns.map(quoted).join(", ")}. Choose one.`;
  if (wanted !== undefined) {
    if (values.has(wanted)) return wanted;
    throw new ChooseColumn(`${file}: no column ${quoted(wanted)}; ${described}`, [], columns);
  }
  if (values.has("text")) return "text";
  const isText = (name: string): boolean => isTextName(name, names.text);
  const others = columns.filter((name) => ![...names.label, ...names.rating].includes(plain(name)));
  const texts = others.filter((name) => shareOfWords(name, 1) > 0);
  let found = texts.filter(isText);
  if (found.length === 0) {
    const nested = others.find((name) => isText(name) && values.get(name)?.some(isNested));
    if (nested !== undefined) {
      const message = `${file}: ${quoted(nested)} contains no text but objects; choose another column.`;
      throw new ChooseColumn(
        message,
        [],
        columns.filter((name) => name !== nested),
      );
    }
    checkHeader(file, columns, names.text);
    found = texts.length === 1 ? texts : texts.filter((name) => shareOfWords(name, 3) > 0.5);
  }
  if (found.length > 1) {
    const listed = found.map(quoted).join(" and ");
    throw new ChooseColumn(`${file}: ${listed} could be the column of the review; choose one.`, found, columns);
  }
  if (found.length === 0) throw new ChooseColumn(`${file}: no column 'text'; ${described}`, [], columns);
  return found[0];
}

/** Whether a column of this name is usually the review. */
export function isTextName(name: string, textNames: readonly string[]): boolean {
  return textNames.includes(plain(name));
}

/** Check that names of columns are not a review, and not several names that are not divided. */
export function checkHeader(file: string, columns: readonly string[], textNames: readonly string[]): void {
  if (columns.every((name, index) => name === String(index + 1))) return; // the file has no header
  const shown = columns
    .map((name) => `"${name.length > MOST_SHOWN ? `${name.slice(0, MOST_SHOWN)} …` : name}"`)
    .join(", ");
  const parts = columns.length === 1 ? columns[0].split(PUNCTUATION) : [];
  if (parts.length > 1 && parts.some((part) => isTextName(part, textNames))) {
    throw new InputError(
      `${file}: the first line is ${shown}; if these are several columns, divide them by commas, semicolons or tabs.`,
    );
  }
  const words = columns.length > 1 ? 3 : 2;
  if (columns.some((name) => countWords(name) >= words || NUMBER.test(name))) {
    throw new ChooseColumn(
      `${file}: the first line is ${shown}; if these are the names of the columns, choose one; if they are a review, ` +
        "read the file without a header.",
      [],
      [...columns],
      true,
    );
  }
}

function plain(name: string): string {
  return name.replace(/[^\p{L}\p{N}]/gu, "").toLowerCase();
}

function isNested(value: Json): boolean {
  return value instanceof Map || Array.isArray(value);
}

/** Share of the values that are text of at least so many words; 0 if all are numbers, dates or links. */
function shareOf(values: readonly Json[], words: number): number {
  const texts = values.filter((value) => typeof value === "string").filter((text) => !isBlank(text));
  if (texts.every((text) => NO_TEXT.test(text))) return 0;
  return texts.filter((text) => countWords(text) >= words).length / texts.length;
}
