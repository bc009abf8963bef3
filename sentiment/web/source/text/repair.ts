// Repair of words that a model does not know: stretched letters, joined words, and slips of the finger.
// Mirrors sentiment/text/repair.py.
//
// Known words stay as they are, so this changes little in texts like those that the model was trained on.

import { SPACE } from "./patterns.ts";
import { type Edit, type TracedText, matches } from "./tracing.ts";

/** {known word: times that it is in the training texts} */
export type Counts = ReadonlyMap<string, number>;

type Repair = (word: string, counts: Counts) => string[] | undefined;

const RUN = /(.)\1{2,}/u;
const JOINT = /[-/_+~|*]+/;
const BETWEEN_JOINTS = /[^-/_+~|*]+/g;
const TOKEN = new RegExp(`[^${SPACE}]+`, "gu");
const ONLY_LETTERS = /^\p{L}+$/u;
const ALPHABET = Array.from("abcdefghijklmnopqrstuvwxyz");

/** Runs of a letter in a word up to which all ways to shorten them are tried. */
const MOST_RUNS = 6;
/** Tokens of a text up to which spelling is repaired: there a single word can decide, and it takes little time. */
const SHORT_TEXT = 60;
/** Lengths of words whose spelling is repaired: shorter ones are too near to many others, longer ones are no words. */
const FEWEST_LETTERS = 4;
const MOST_LETTERS = 30;
/** Times that a word must be in the training texts for others to be repaired to it. */
const FEWEST = 20;

const SPELLING = "spelling";
const REPAIRS = new Map<string, Repair>([
  ["joints", splitJoints],
  ["runs", shortenRuns],
  [SPELLING, correctSpelling],
]);

/** Repair unknown tokens, each by the first of the steps that finds a known word. */
export function repair(tokens: string[], counts: Counts, steps: string[]): string[] {
  const repaired = repairedTokens(tokens, counts, steps);
  if (repaired.size === 0) return tokens;
  const now: string[] = [];
  for (const token of tokens) {
    for (const part of repaired.get(token) ?? [token]) now.push(part);
  }
  return now;
}

/** `repair` for tokens with white space between them; the parts of joined words keep their places. */
export function repairTraced(text: TracedText, counts: Counts, steps: string[]): TracedText {
  const tokens = matches(TOKEN, text.text);
  const repaired = repairedTokens(
    tokens.map((token) => token[0]),
    counts,
    steps,
  );
  const edits: Edit[] = [];
  for (const { 0: token, index } of tokens) {
    const parts = repaired.get(token);
    if (!parts) continue;
    const end = index + token.length;
    const pieces = matches(BETWEEN_JOINTS, token);
    if (pieces.length !== parts.length) {
      edits.push([index, end, parts.join(" ")]);
      continue;
    }
    let done = index;
    for (const [number, piece] of pieces.entries()) {
      const start = index + piece.index;
      edits.push([done, start, " "]);
      done = start + piece[0].length;
      edits.push([start, done, parts[number]]);
    }
    edits.push([done, end, " "]);
  }
  return text.edited(edits);
}

/** {token that is not known: what to read instead} */
function repairedTokens(tokens: string[], counts: Counts, steps: string[]): Map<string, string[]> {
  const repairs = steps
    .filter((step) => tokens.length <= SHORT_TEXT || step !== SPELLING)
    .flatMap((step) => REPAIRS.get(step) ?? []);
  const repaired = new Map<string, string[]>();
  const seen = new Set<string>();
  for (const token of tokens) {
    if (counts.has(token) || seen.has(token)) continue;
    seen.add(token);
    const parts = partsOf(token, counts, repairs);
    if (parts.length !== 1 || parts[0] !== token) repaired.set(token, parts);
  }
  return repaired;
}

function partsOf(token: string, counts: Counts, repairs: Repair[]): string[] {
  for (const repairToken of repairs) {
    const found = repairToken(token, counts);
    if (!found) continue;
    // only joints give something that is not known; their parts are repaired in turn
    return found.flatMap((word) => (counts.has(word) ? word : partsOf(word, counts, repairs)));
  }
  return [token];
}

/** The parts of words joined by slashes, hyphens or the like: "great/lovely". */
function splitJoints(word: string): string[] | undefined {
  const parts = word.split(JOINT).filter((part) => part !== "");
  return parts.length > 0 && (parts.length > 1 || parts[0] !== word) ? parts : undefined;
}

/** The most frequent word with one or two letters in place of each run of three or more: "loooved" is "loved". */
function shortenRuns(word: string, counts: Counts): string[] | undefined {
  const pieces = word.split(RUN); // between, letter, between, letter, ..., between
  const runs = (pieces.length - 1) / 2;
  if (runs === 0 || runs > MOST_RUNS) return undefined;
  const found: string[] = [];
  for (let doubled = 0; doubled < 2 ** runs; doubled++) {
    // a bit for each run, the first one highest, so that words come in the order of Python's `product`
    const times = (run: number): number => 1 + ((doubled >> (runs - 1 - run)) & 1);
    found.push(pieces.map((piece, place) => (place % 2 ? piece.repeat(times((place - 1) / 2)) : piece)).join(""));
  }
  return mostFrequent(found, counts, 1);
}

/**
 * The most frequent word that is one edit away: a letter more, less or another, or two in the wrong order.
 *
 * The first letter stays, since it is rarely the wrong one.
 */
function correctSpelling(word: string, counts: Counts): string[] | undefined {
  const letters = Array.from(word);
  if (letters.length < FEWEST_LETTERS || letters.length > MOST_LETTERS || !ONLY_LETTERS.test(word)) return undefined;
  return mostFrequent(edits(letters), counts, FEWEST);
}

function* edits(letters: string[]): Generator<string> {
  for (let place = 1; place <= letters.length; place++) {
    const before = letters.slice(0, place).join("");
    const after = letters.slice(place).join("");
    const later = letters.slice(place + 1).join("");
    if (place < letters.length) {
      yield before + later;
      for (const letter of ALPHABET) yield before + letter + later;
    }
    if (place + 1 < letters.length) {
      yield before + letters[place + 1] + letters[place] + letters.slice(place + 2).join("");
    }
    for (const letter of ALPHABET) yield before + letter + after;
  }
}

/** The word with the highest count, the first of equals; none if no count is at least `fewest`. */
function mostFrequent(words: Iterable<string>, counts: Counts, fewest: number): string[] | undefined {
  let best: string | undefined;
  let most = fewest - 1;
  for (const word of words) {
    const count = counts.get(word) ?? 0;
    if (count > most) {
      best = word;
      most = count;
    }
  }
  return best === undefined ? undefined : [best];
}
