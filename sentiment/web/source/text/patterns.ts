// What Python's patterns mean by `\s`, `\w` and "ignore case"; JavaScript means something else by each.

/** White space of Python, for use within brackets. */
export const SPACE = String.raw`\t-\r\x1c- \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000`;

/** Characters of words in Python, for use within brackets. */
export const WORD = String.raw`\p{L}\p{N}_`;

/** The end of a word: Python's `\b` behind a character of a word. */
export const WORD_END = `(?![${WORD}])`;

/** The start of a word: Python's `\b` before a character of a word. */
export const WORD_START = `(?<![${WORD}])`;

const MORE_CASES: Record<string, string> = { i: "İı", k: "\u212a", s: "ſ" };

/**
 * A pattern that matches small letters in any case.
 *
 * JavaScript's flag `i` would do for the letters, but it also changes what `\p{L}` matches, and it lacks the letters i
 * of Turkish, which Python has.
 *
 * @param pattern without escapes, since their letters would be changed too
 */
export function anyCase(pattern: string): string {
  return pattern.replace(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}${MORE_CASES[letter] ?? ""}]`);
}

/** A pattern that matches a text as it is written. */
export function literally(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`);
}

const OTHER_THAN_ASCII = /[^\x00-\x7f]/;

export function isAscii(text: string): boolean {
  return !OTHER_THAN_ASCII.test(text);
}
