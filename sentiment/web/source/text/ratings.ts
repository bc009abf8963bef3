// Ratings: stars and fractions, written as reviews of films write them; mirrors sentiment/text/ratings.py.

import { WORD, WORD_END, WORD_START, anyCase, isAscii } from "./patterns.ts";
import { type Text, plain, sub } from "./tracing.ts";

const NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"];
const NUMBER_WORDS = anyCase(NUMBERS.join("|"));
// not a part of something else, not the stars of a film, not a date
const NO_PART = `(?<![${WORD}./,$\\-])(?<!${WORD_START}${anyCase("the ")})(?<!${WORD_START}${anyCase("on ")})`;
const NUMBER =
  String.raw`${NO_PART}(?<number>\p{Nd}{1,3}(?:[.,]\p{Nd})?|${NUMBER_WORDS})` +
  `(?<half> ?½|${anyCase(" and a half")}| 1/2)?`;
const MOST = String.raw`(?<most>\p{Nd}{1,3}|${NUMBER_WORDS})${WORD_END}`;
const POSSIBLE = `(?:${anyCase("a possible ")})?`;
const STARS = new RegExp(
  `${NUMBER}[ \\-]${anyCase("stars?")}${WORD_END}(?: ?(?:/|${anyCase("out of|of")}) ?${POSSIBLE}${MOST})?` +
    `(?![${WORD}/:]| (?:${anyCase("of|from|who|in|and")})${WORD_END})`,
  "gu",
);
const FRACTION = new RegExp(
  `${NUMBER}(?: ?/ ?|${anyCase(" out of ")}${POSSIBLE})(?<most>5|10|100|${anyCase("five|ten")})` +
    `(?:[ \\-]${anyCase("stars?")}${WORD_END}|${anyCase(" points?")}${WORD_END})?(?![${WORD}/%]|[.,]\\p{Nd})`,
  "gu",
);
// Quick looks for what the two patterns need; those are slow, since they begin with many alternatives.
const STAR = new RegExp(`stars?${WORD_END}`, "u");
const OF = new RegExp(`(?:/ ?|out of (?:a possible )?)(?:5|10|100|five|ten)(?![${WORD}/%])`, "u");
const SIGNS = /(?<full>[★⭐🌟]{1,10})(?<half> ?½| ?1\/2)?(?<empty>[☆✩]{0,9})|(?<none>[☆✩]{3,10})/gu;
const DIGIT = /\p{Nd}/u;
const DIGITS = /\p{Nd}/gu;

/**
 * Write ratings as reviews of films do, "8 out of 10": stars, and fractions of 5, 10 or 100.
 *
 * Stars without a number behind them are out of 5, or out of 10 if there are more.
 */
export function ratings(text: Text): Text {
  let now = isAscii(plain(text)) ? text : sub(SIGNS, ratingOfSigns, text);
  const lower = plain(now).toLowerCase();
  if ((lower.includes("/") || lower.includes("out of")) && OF.test(lower)) now = sub(FRACTION, rating, now);
  return STAR.test(lower) ? sub(STARS, rating, now) : now;
}

function ratingOfSigns(match: RegExpExecArray): string {
  const found = match.groups ?? {};
  const full = Array.from(found.full ?? "").length; // 🌟 has two code units
  const empty = (found.empty || found.none || "").length;
  return outOfTen(full + (found.half ? 0.5 : 0), Math.max(5, full + empty), match[0]);
}

function rating(match: RegExpExecArray): string {
  const found = match.groups ?? {};
  const number = value(found.number) + (found.half ? 0.5 : 0);
  return outOfTen(number, found.most ? value(found.most) : number <= 5 ? 5 : 10, match[0]);
}

/** The value of digits or a word; NaN for a word with letters that only look like its own. */
function value(number: string): number {
  const word = NUMBERS.indexOf(number.toLowerCase());
  return word >= 0 ? word : Number(number.replace(",", ".").replace(DIGITS, asciiDigit));
}

/** The digit 0 to 9 of another script: in each, the ten digits stand in a row. */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) ?? 0;
  let zero = code;
  while (DIGIT.test(String.fromCodePoint(zero - 1))) zero--;
  return String((code - zero) % 10); // some rows follow each other
}

function outOfTen(number: number, most: number, written: string): string {
  // a whole number, since the tokenizer splits at a point
  return number >= 0 && number <= most && most > 0 ? ` ${Math.floor((10 * number) / most + 0.5)} out of 10 ` : written;
}
