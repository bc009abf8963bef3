// From normalized text to text with white space between its tokens; mirrors sentiment/text/tokenizer.py.

import { WORD, WORD_END, literally } from "./patterns.ts";
import { type Edit, type Step, type Text, plain, sub } from "./tracing.ts";
import type { Tables } from "./tables.ts";

const NEGATED_VERB = new RegExp(`(?<=[${WORD}])[nN]'[tT]${WORD_END}`, "gu");

/**
 * What puts a normalized text into lower case, with white space between its tokens.
 *
 * `n't` stays with its verb: "isn't" is one token, "isnt". Split at the apostrophe, it would be three tokens, none of
 * them negative by itself.
 */
export function createSeparate(tables: Tables): Step {
  const replacements = tables.replacements.map(([old, replacement]) => ({
    old,
    replacement,
    pattern: new RegExp(literally(old), "g"),
  }));
  return (text: Text): Text => {
    // before lower-casing, which can turn a letter into two characters, the second of them not a letter
    let now = plain(text).includes("'") ? sub(NEGATED_VERB, "nt", text) : text;
    now = lowerCase(now);
    for (const { old, replacement, pattern } of replacements) {
      if (plain(now).includes(old)) now = sub(pattern, replacement, now);
    }
    return now;
  };
}

function lowerCase(text: Text): Text {
  if (typeof text === "string") return text.toLowerCase();
  const lower = text.text.toLowerCase();
  const edits: Edit[] = [];
  let place = 0; // in the text
  let lowerPlace = 0;
  for (const letter of text.text) {
    const length = letter.toLowerCase().length; // not always one
    const now = lower.slice(lowerPlace, lowerPlace + length);
    if (now !== letter) edits.push([place, place + letter.length, now]);
    place += letter.length;
    lowerPlace += length;
  }
  return text.edited(edits);
}
