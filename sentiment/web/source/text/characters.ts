// Characters that look the same get one form; mirrors sentiment/text/characters.py.

import { SPACE, WORD, isAscii } from "./patterns.ts";
import { type Text, collapse, plain, rewrite, sub } from "./tracing.ts";

const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufe00-\ufe0f\ufeff]/gu;
const CONTROL = /[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffd]/gu;
const SINGLE_QUOTES = /[‘’‚‛′ʼ`´]/gu;
const DOUBLE_QUOTES = /[“”„‟″«»]/gu;
const DASHES = /[‒–—―]/gu;
const HYPHENS = /--+/g;
/** What Unicode can compose to one character: a letter and the accents behind it. */
const COMPOSED = new RegExp(String.raw`[!-~]?[^\x00-\x7f${SPACE}]+|[^\x00-\x7f]`, "gu");
/** So many accents in a row that no letter has them. */
const ACCENTS = new RegExp(String.raw`([^\x00-\x7f${WORD}${SPACE}]{200})`, "u");

/** Give characters that look the same one form, and remove those that cannot be seen. */
export function characters(text: Text): Text {
  let now = sub(CONTROL, " ", text);
  if (isAscii(plain(now))) {
    now = sub(SINGLE_QUOTES, "'", now);
  } else {
    // before composition, which takes some of the quotes apart, and after it, which makes others
    now = plainQuotes(sub(INVISIBLE, "", now));
    now = plainQuotes(rewrite(compose, now, COMPOSED));
    now = sub(DASHES, " - ", now);
  }
  if (plain(now).includes("--")) now = sub(HYPHENS, " - ", now);
  return collapse(now);
}

/** Unicode's NFKC; long rows of accents by themselves, as in Python, which takes very long for them. */
function compose(text: string): string {
  return text
    .split(ACCENTS)
    .map((part) => part.normalize("NFKC"))
    .join("");
}

function plainQuotes(text: Text): Text {
  return sub(DOUBLE_QUOTES, '"', sub(SINGLE_QUOTES, "'", text));
}
