// HTML tags, Markdown and the escapes of programs; mirrors sentiment/text/markup.py.
//
// Each step takes time linear in the length of the text. A quick look for its characters spares most texts its work.

import { SPACE, WORD, WORD_START, anyCase } from "./patterns.ts";
import { type Text, plain, sub } from "./tracing.ts";

const TAG = /<[/!]?[a-zA-Z-][^<>]*>/g;
const ESCAPED = /\\(?:[nrt](?![a-z])|(?=['"/\\]))|\\[nrt](?=[a-z])/g;
const LINK = new RegExp(String.raw`!?\[([^\[\]]{1,300})\]\([^()${SPACE}]{0,2000}\)`, "gu");
const ADDRESS = new RegExp(
  String.raw`${WORD_START}(?:${anyCase("https?://")}|${anyCase("www")}\.)[^${SPACE}<>"]+`,
  "gu",
);
const EMPHASIS = ["*", "_", "~", "`"].map((sign) => ({ sign, pattern: emphasis(sign) }));
/** What stands before an entry of a list, a quotation or a heading; not the first of several stars. */
const LINE_MARK = /(?<![^\n])[ \t]*(?:[-+>]|\*(?![ \t]*\*)|#{1,6})[ \t]+/g;
const HASHTAG = new RegExp(String.raw`(?<![${WORD}&#])#(?=[\p{L}\p{Nl}\p{No}])`, "gu");

function emphasis(sign: string): RegExp {
  const mark = sign === "*" ? String.raw`\*` : sign;
  const start = `(?<![${WORD}${sign}])(${mark}{1,3})(?=[^${SPACE}${sign}])`;
  return new RegExp(String.raw`${start}([^${sign}]{1,300})(?<=[^${SPACE}${sign}])\1(?![${WORD}${sign}])`, "gu");
}

/** Replace what programs write for a line break, a tab or a quote in a string, such as `\n` and `\'`. */
export function escapes(text: Text): Text {
  if (!plain(text).includes("\\")) return text;
  return sub(ESCAPED, (match) => (match[0] === "\\" ? "" : " "), text);
}

/** Remove HTML tags. */
export function tags(text: Text): Text {
  return plain(text).includes("<") ? sub(TAG, " ", text) : text;
}

/** Keep the words of Markdown links, emphasis, lines and hash tags, and remove addresses. */
export function markup(text: Text): Text {
  let now = sub(LINE_MARK, "", text);
  if (plain(now).includes("](")) now = sub(LINK, (match) => ` ${match[1]} `, now);
  if (plain(now).includes("://") || plain(now).toLowerCase().includes("www.")) now = sub(ADDRESS, " ", now);
  for (const { sign, pattern } of EMPHASIS) {
    if (plain(now).includes(sign)) now = sub(pattern, (match) => match[2], now);
  }
  return plain(now).includes("#") ? sub(HASHTAG, " ", now) : now;
}
