// From a logit to an answer: probability, label, and whether the model is unsure. Mirrors
// `sentiment/inference/postprocessing.py` and `sentiment/inference/prediction.py`.

import { SPACE } from "../text/patterns.ts";
import { UNKNOWN_ID } from "../text/vocabulary.ts";

export interface Calibration {
  temperature: number;
  temperature_slope?: number;
  confident_from?: number;
}

/** The answer for one review; the names are those of Python's `Prediction`. */
export interface Prediction {
  label: "positive" | "negative" | null;
  /** Of positive, 0 to 1; null for a text without words. */
  probability: number | null;
  /** Probability of the label. */
  score: number | null;
  tokens: number;
  unknown_tokens: number;
  truncated: boolean;
  uncertain: boolean;
  reason: string | null;
}

/** Tokens from which a text counts as a whole review. */
const WHOLE = 200;
const UNKNOWN_SHARE = 0.5;

/** What the logit of a text with so many tokens is divided by. */
export function temperature({ temperature: whole, temperature_slope: slope = 0 }: Calibration, tokens: number): number {
  return whole * (Math.min(Math.max(tokens, 1), WHOLE) / WHOLE) ** slope;
}

/** Probability of positive. */
export function probability(logit: number, temperature: number): number {
  return 1 / (1 + Math.exp(-logit / temperature));
}

export function isPositive(probability: number): boolean {
  return probability >= 0.5;
}

/** The score from which the model is not called unsure. */
export function confidentFrom(calibration: Calibration): number {
  return calibration.confident_from ?? 0.5;
}

/** A text as the network gets it, and what is known of it without the network. */
export interface Encoded {
  /** Token ids in reading order. */
  ids: Int32Array;
  /** Number of all tokens, also of those that are not read. */
  tokens: number;
  reason: string | null;
}

export function predictionOf({ ids, tokens, reason }: Encoded, logit: number, calibration: Calibration): Prediction {
  const hasWords = reason !== "no text" && reason !== "no words";
  const positive = hasWords ? probability(logit, temperature(calibration, tokens)) : null;
  const score = positive === null ? null : Math.max(positive, 1 - positive);
  return {
    label: positive === null ? null : isPositive(positive) ? "positive" : "negative",
    probability: positive,
    score,
    tokens,
    unknown_tokens: ids.reduce((count, id) => count + (id === UNKNOWN_ID ? 1 : 0), 0),
    truncated: tokens > ids.length,
    uncertain: reason !== null || (score !== null && score < confidentFrom(calibration)),
    reason,
  };
}

/** Problem with a text, or null; `read` are the tokens that the network gets, `ids` their ids. */
export function reasonOf(text: string, read: string[], ids: Int32Array): string | null {
  if (!HAS_TEXT.test(text)) return "no text";
  let known = 0,
    unknown = 0;
  read.forEach((token, place) => {
    if (!HAS_LETTER.test(token)) return;
    if (ids[place] === UNKNOWN_ID) unknown++;
    else known++;
  });
  if (known + unknown === 0) return "no words";
  return unknown >= UNKNOWN_SHARE * (known + unknown) ? "most words unknown" : null;
}

/** Anything that Python's `str.strip` does not remove. */
const HAS_TEXT = new RegExp(`[^${SPACE}]`);
/** Anything for which Python's `str.isalnum` is true. */
const HAS_LETTER = /[\p{L}\p{N}]/u;
