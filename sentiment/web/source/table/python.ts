// White space, words, quoted names and numbers as Python has them, which differ from those of JavaScript in details.

import { SPACE } from "../text/patterns.ts";

const NOT_SPACE = new RegExp(`[^${SPACE}]`);
const SPACES = new RegExp(`[${SPACE}]+`);
const OUTER_SPACE = new RegExp(`^[${SPACE}]+|(?<![${SPACE}])[${SPACE}]+$`, "g");

/** `not text.strip()` */
export function isBlank(text: string): boolean {
  return !NOT_SPACE.test(text);
}

/** `text.strip()` */
export function strip(text: string): string {
  return text.replace(OUTER_SPACE, "");
}

/** `len(text.split())` */
export function countWords(text: string): number {
  const stripped = strip(text);
  return stripped === "" ? 0 : stripped.split(SPACES).length;
}

/** `repr(text)` */
export function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, (character) => {
    if (character === "'" || character === '"') return character === quote ? `\\${character}` : character;
    const short = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" }[character];
    if (short !== undefined) return short;
    const code = character.codePointAt(0)!;
    const [letter, digits] = code < 0x100 ? ["x", 2] : code < 0x10000 ? ["u", 4] : ["U", 8];
    return `\\${letter}${code.toString(16).padStart(digits as number, "0")}`;
  });
  return quote + escaped + quote;
}

/** `repr(number)` of a float. Both languages find the same shortest digits; they differ in when they write a power. */
export function floatText(number: number): string {
  if (!Number.isFinite(number)) return Number.isNaN(number) ? "nan" : number > 0 ? "inf" : "-inf";
  const size = Math.abs(number);
  if (size === 0) return Object.is(number, -0) ? "-0.0" : "0.0";
  if (size >= 1e-4 && size < 1e16) return Number.isInteger(number) ? `${number}.0` : String(number);
  return number.toExponential().replace(/(?<=[-+])(?=\d$)/, "0"); // at least two digits of the power
}

/** A number with commas between thousands. */
export function withCommas(number: number): string {
  return number.toLocaleString("en-US");
}
