// An answer in words, and as a gauge from negative to positive.

import type { Prediction } from "../model/prediction.ts";
import { h, percent } from "./dom.ts";

/** Score from which the answer is said to be that sure; the limits are those of `sentiment/explanation/summary.py`. */
const SURE: [number, string][] = [
  [0.99, "almost certain"],
  [0.9, "quite sure"],
  [0.75, "fairly sure"],
];

const REASONS: Record<string, string> = {
  "no text": "There is no text to read.",
  "no words": "There are no words to read, only punctuation.",
  "most words unknown": "The model does not know most of these words. Is this English?",
};

/** How sure an answer is, in words. */
function sureness({ score, uncertain }: Prediction): string {
  if (uncertain) return "unsure";
  return SURE.find(([least]) => (score ?? 0) >= least)?.[1] ?? "not very sure";
}

/** The answer in a sentence, for screen readers. */
export function spokenAnswer(prediction: Prediction): string {
  const { label, score, reason } = prediction;
  const problem = reason === null ? "" : REASONS[reason];
  if (label === null || score === null) return problem;
  return `${capitalized(label)}, ${percent(score)}, ${sureness(prediction)}. ${problem}`;
}

/** The answer: label, how sure, gauge, and what is wrong with the text, if anything is. */
export function renderAnswer(prediction: Prediction, confidentFrom: number): HTMLElement[] {
  const { label, probability, score, reason, truncated, tokens, unknown_tokens: unknown } = prediction;
  const lines = [
    reason && h("p", { class: "note" }, REASONS[reason]),
    truncated && h("p", { class: "note" }, "The review is longer than the model reads. What it leaves out is grey."),
    !reason &&
      unknown > 0 &&
      h("p", { class: "quiet" }, `Not in the model's vocabulary: ${unknown} of ${tokens} words.`),
  ].filter((line): line is HTMLParagraphElement => line instanceof HTMLElement);
  if (label === null || probability === null || score === null) return lines;
  const unsure = prediction.uncertain ? " unsure" : "";
  const verdict = h(
    "p",
    { class: `verdict ${label}${unsure}` },
    h("strong", {}, capitalized(label)),
    ` ${percent(score)}`,
    h("span", { class: "sure" }, `, ${sureness(prediction)}`),
  );
  return [verdict, gauge(probability, confidentFrom), ...lines];
}

function gauge(probability: number, confidentFrom: number): HTMLElement {
  const mark = h("i", { class: "mark" }),
    band = h("i", { class: "band" });
  mark.style.setProperty("--at", String(probability));
  band.style.setProperty("--from", String(1 - confidentFrom));
  band.style.setProperty("--to", String(confidentFrom));
  return h(
    "div",
    { class: "gauge", "aria-hidden": "true" },
    h("div", { class: "bar" }, band, mark),
    h("span", {}, "negative"),
    h("span", {}, confidentFrom > 0.5 ? "unsure" : ""),
    h("span", {}, "positive"),
  );
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
