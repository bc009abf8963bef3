// From text to tokens to token ids, as a model was trained with; mirrors sentiment/text/vocabulary.py.

import { createSteps, normalize } from "./normalization.ts";
import { type Counts, repair, repairTraced } from "./repair.ts";
import type { Tables } from "./tables.ts";
import { createSeparate } from "./tokenizer.ts";
import { type Step, TracedText, plain, splitTraced, splitWords } from "./tracing.ts";

const SPECIALS = ["<unk>", "<pad>", "<eos>"];
export const UNKNOWN_ID = 0;

/** "text" of a model's `config.json`. */
export interface TextSettings {
  max_length: number;
  keep: "head" | "tail";
  direction: "forward" | "backward";
  /** Names of the steps of normalization and repair. */
  steps: string[];
}

/** Tokens, and the start and end of each in the text, in UTF-16 code units. */
export interface TracedTokens {
  tokens: string[];
  offsets: [number, number][];
}

/** Turns reviews into the token ids that a network gets. It is `TextEncoder` in Python, in browsers another thing. */
export class ReviewEncoder {
  private readonly counts: Counts;
  private readonly ids: ReadonlyMap<string, number>;
  private readonly steps: Map<string, Step>;
  private readonly separate: Step;

  /**
   * @param settings how the model reads texts
   * @param counts count of each word in the training texts, as in `vocab.json`
   * @param tables the data of the text pipeline
   */
  constructor(
    private readonly settings: TextSettings,
    counts: Record<string, number>,
    tables: Tables,
  ) {
    // the order of an object is not that of its JSON: JavaScript puts numbers first
    const entries = Object.entries(counts).sort((one, other) => other[1] - one[1] || compare(one[0], other[0]));
    this.counts = new Map(entries);
    this.ids = new Map(entries.map(([word], place) => [word, place + SPECIALS.length]));
    this.steps = createSteps(tables);
    this.separate = createSeparate(tables);
  }

  /** All tokens of a raw text: normalized, tokenized, and repaired where they are not known. */
  tokenize(text: string): string[] {
    const separated = this.separate(normalize(text, this.settings.steps, this.steps));
    return repair(splitWords(plain(separated)), this.counts, this.settings.steps);
  }

  /**
   * The same tokens as `tokenize`, and where each stands in the text.
   *
   * The offsets are in order and do not overlap. Of several tokens that stand for one sign, such as the four of
   * "★★★★☆", the first has its place, and the others are empty.
   */
  tokenizeWithOffsets(text: string): TracedTokens {
    const separated = this.separate(normalize(TracedText.original(text), this.settings.steps, this.steps));
    if (typeof separated === "string") throw new TypeError("a step has lost the origins of a text");
    return splitTraced(repairTraced(separated, this.counts, this.settings.steps));
  }

  /** The tokens that the network gets, in reading direction: at most `max_length`. */
  tokensRead<T>(tokens: T[]): T[] {
    const { max_length: limit, keep, direction } = this.settings;
    const read = keep === "head" ? tokens.slice(0, limit) : tokens.slice(Math.max(0, tokens.length - limit));
    return direction === "forward" ? read : read.reverse();
  }

  /** Ids of `tokensRead(tokens)`; that of unknown words also for words spelled like a special token. */
  encode(tokens: string[]): Int32Array {
    return Int32Array.from(this.tokensRead(tokens), (token) => this.ids.get(token) ?? UNKNOWN_ID);
  }
}

/** Order of two words by their code points, as in Python; JavaScript compares code units. */
function compare(one: string, other: string): number {
  const [ours, theirs] = [Array.from(one), Array.from(other)];
  const place = ours.findIndex((sign, index) => sign !== theirs[index]);
  if (place < 0) return ours.length - theirs.length;
  return (ours[place].codePointAt(0) ?? 0) - (theirs[place]?.codePointAt(0) ?? -1);
}
