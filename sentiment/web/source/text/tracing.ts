// Where the tokens of a text stand in it as it was written; mirrors sentiment/text/tracing.py.
//
// Steps of normalization take a string, or a `TracedText`, which remembers from where in the original each of its
// characters came. Positions are those of JavaScript, in UTF-16 code units.

import { SPACE } from "./patterns.ts";

export type Text = string | TracedText;

/** Start and end of a part of a text, and what takes its place. */
export type Edit = [start: number, end: number, now: string];

export type Step = (text: Text) => Text;

const SPACES = new RegExp(`[${SPACE}]+`, "gu");
const SPACE_SIGN = new RegExp(`[${SPACE}]`, "u");
const TOKEN = new RegExp(`[^${SPACE}]+`, "gu");
const WORD_AND_SPACES = new RegExp(`[^${SPACE}]+[${SPACE}]*|[${SPACE}]+`, "gu");
const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/** Words that are looked at, after a difference between two texts, for where they are the same again. */
const LOOK_AHEAD = 24;

/** A text that knows where its characters come from. */
export class TracedText {
  /**
   * @param text the text
   * @param starts start, in the original text, of what each character stands for
   * @param ends its end
   */
  constructor(
    readonly text: string,
    private readonly starts: Int32Array,
    private readonly ends: Int32Array,
  ) {}

  /** The original text itself. */
  static original(text: string): TracedText {
    const starts = new Int32Array(text.length);
    const ends = new Int32Array(text.length);
    let place = 0;
    for (const sign of text) {
      // both halves of a character stand for all of it, so that no offset is ever within a character
      starts.fill(place, place, place + sign.length);
      ends.fill(place + sign.length, place, place + sign.length);
      place += sign.length;
    }
    return new TracedText(text, starts, ends);
  }

  /** The text with some parts replaced; they must be in order and must not overlap. */
  edited(edits: Edit[]): TracedText {
    if (edits.length === 0) return this;
    const growth = edits.reduce((sum, [start, end, now]) => sum + now.length - (end - start), 0);
    const starts = new Int32Array(this.text.length + growth);
    const ends = new Int32Array(this.text.length + growth);
    const pieces: string[] = [];
    let read = 0;
    let written = 0;
    const keepUntil = (end: number): void => {
      pieces.push(this.text.slice(read, end));
      starts.set(this.starts.subarray(read, end), written);
      ends.set(this.ends.subarray(read, end), written);
      written += end - read;
    };
    for (const edit of edits) {
      const [start, end, now] = edit;
      keepUntil(start);
      pieces.push(now);
      this.writeOrigins(edit, starts.subarray(written, written + now.length), ends.subarray(written));
      written += now.length;
      read = end;
    }
    keepUntil(this.text.length);
    return new TracedText(pieces.join(""), starts, ends);
  }

  /** Start and end, in the original, of a part of the text. */
  origin(start: number, end: number): [number, number] {
    return [this.starts[start], this.ends[end - 1]];
  }

  /** Origins of what replaces a part: its own for letters that stay, all of the part for other characters. */
  private writeOrigins([start, end, now]: Edit, starts: Int32Array, ends: Int32Array): void {
    const old = this.text.slice(start, end);
    const copy = (place: number, from: number): void => {
      starts[place] = this.starts[from];
      ends[place] = this.ends[from];
    };
    let first = 0;
    let last = 0;
    if (LETTER_OR_DIGIT.test(now)) {
      // a sign stands for all that it replaces, as "&" for "&amp;"
      const [before, after] = edges(now);
      const found = old.indexOf(now.slice(before, after));
      if (found >= 0) {
        for (let place = 0; place < now.length; place++) {
          copy(place, start + found + Math.min(Math.max(place, before), after - 1) - before);
        }
        return;
      }
      const most = Math.min(old.length, now.length);
      while (first < most && old[first] === now[first]) first++;
      while (first + last < most && old[old.length - 1 - last] === now[now.length - 1 - last]) last++;
    }
    for (let place = 0; place < first; place++) copy(place, start + place);
    for (let back = 1; back <= last; back++) copy(now.length - back, end - back);
    const before = start + first > 0 ? this.ends[start + first - 1] : 0;
    const [from, to] = first + last < old.length ? this.origin(start + first, end - last) : [before, before];
    starts.fill(from, first, now.length - last);
    ends.fill(to, first, now.length - last);
  }
}

/** The text as a string. */
export function plain(text: Text): string {
  return typeof text === "string" ? text : text.text;
}

/** All places where a pattern with the flag `g` is found. */
export function matches(pattern: RegExp, text: string): RegExpExecArray[] {
  const found: RegExpExecArray[] = [];
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) found.push(match);
  return found;
}

/**
 * Replace what a pattern finds.
 *
 * @param pattern with the flag `g`; it must not match nothing
 * @param now what takes the place, without `$`
 */
export function sub(pattern: RegExp, now: string | ((match: RegExpExecArray) => string), text: Text): Text {
  if (typeof text === "string") {
    if (typeof now === "string") return text.replace(pattern, now);
    const pieces: string[] = [];
    let done = 0;
    for (const match of matches(pattern, text)) {
      pieces.push(text.slice(done, match.index), now(match));
      done = match.index + match[0].length;
    }
    return done === 0 ? text : pieces.join("") + text.slice(done);
  }
  return text.edited(
    matches(pattern, text.text).map((match) => [
      match.index,
      match.index + match[0].length,
      typeof now === "string" ? now : now(match),
    ]),
  );
}

/**
 * Rewrite a text by a function of strings.
 *
 * @param parts what the function rewrites one by one. Without it, or where it gives another text, the words before and
 *   after are compared.
 */
export function rewrite(change: (text: string) => string, text: Text, parts?: RegExp): Text {
  if (typeof text === "string") return change(text);
  const now = change(text.text);
  if (now === text.text) return text;
  if (parts) {
    const traced = sub(parts, (match) => change(match[0]), text);
    if (plain(traced) === now) return traced;
  }
  return text.edited(differences(text.text, now));
}

/** The words of a text, with one space between them. */
export function collapse(text: Text): Text {
  const [start, end] = edges(plain(text));
  const stripped = typeof text === "string" ? text.slice(start, end) : strippedTraced(text, start, end);
  return sub(SPACES, " ", stripped);
}

/** Split at white space. */
export function splitWords(text: string): string[] {
  return text.match(TOKEN) ?? [];
}

/**
 * Split at white space.
 *
 * @returns the words, and where each stands in the original text. The offsets are in order and do not overlap; of
 *   several words that stand for one part of the original, the others are empty, at its end.
 */
export function splitTraced(text: TracedText): { tokens: string[]; offsets: [number, number][] } {
  const tokens: string[] = [];
  const offsets: [number, number][] = [];
  let done = 0;
  for (const match of matches(TOKEN, text.text)) {
    const [start, end] = text.origin(match.index, match.index + match[0].length);
    const offset: [number, number] = [Math.max(start, done), Math.max(end, done)];
    tokens.push(match[0]);
    offsets.push(offset);
    done = offset[1];
  }
  return { tokens, offsets };
}

/** Where a text begins and ends without the white space around it. */
function edges(text: string): [number, number] {
  let start = 0;
  let end = text.length;
  while (end > 0 && SPACE_SIGN.test(text[end - 1])) end--;
  while (start < end && SPACE_SIGN.test(text[start])) start++;
  return [start, end];
}

function strippedTraced(text: TracedText, start: number, end: number): TracedText {
  const length = text.text.length;
  const cuts: Edit[] = [
    [0, start, ""],
    [end, length, ""],
  ];
  return text.edited(cuts.filter(([from, to]) => from < to));
}

/** What to replace in one text to get the other: words that differ, one by one where as many take their place. */
function differences(old: string, now: string): Edit[] {
  const before = old.match(WORD_AND_SPACES) ?? [];
  const after = now.match(WORD_AND_SPACES) ?? [];
  const edits: Edit[] = [];
  let [i, j, place] = [0, 0, 0];
  while (i < before.length || j < after.length) {
    if (before[i] === after[j]) {
      place += before[i].length;
      i++;
      j++;
      continue;
    }
    const [nextI, nextJ] = sameAgain(before, after, i, j);
    if (nextI - i === nextJ - j) {
      for (; i < nextI; i++, j++) {
        edits.push(...wordEdits(place, before[i], after[j]));
        place += before[i].length;
      }
    } else {
      const length = before.slice(i, nextI).join("").length;
      edits.push([place, place + length, after.slice(j, nextJ).join("")]);
      place += length;
      [i, j] = [nextI, nextJ];
    }
  }
  return edits;
}

/** The nearest places after `i` and `j` at which the words are the same: a few words ahead, or seen from the ends. */
function sameAgain(before: string[], after: string[], i: number, j: number): [number, number] {
  for (let ahead = 1; ahead <= 2 * LOOK_AHEAD; ahead++) {
    // as many words of both come first: one wrong word usually takes the place of another
    for (let more = ahead % 2; more <= ahead; more += 2) {
      const [few, many] = [(ahead - more) / 2, (ahead + more) / 2];
      if (i + few < before.length && before[i + few] === after[j + many]) return [i + few, j + many];
      if (i + many < before.length && before[i + many] === after[j + few]) return [i + many, j + few];
    }
  }
  let [endI, endJ] = [before.length, after.length];
  while (endI > i && endJ > j && before[endI - 1] === after[endJ - 1]) {
    endI--;
    endJ--;
  }
  return [endI, endJ];
}

/** A word and the spaces behind it, each by itself. */
function wordEdits(place: number, old: string, now: string): Edit[] {
  const end = edges(old)[1];
  const newEnd = edges(now)[1];
  return [
    [place, place + end, now.slice(0, newEnd)],
    [place + end, place + old.length, now.slice(newEnd)],
  ];
}
