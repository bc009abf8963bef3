// Emoji and emoticons, as words that models know; mirrors sentiment/text/emoji.py and `replace_emoji` of emoji.

import { SPACE, WORD_END, isAscii, literally } from "./patterns.ts";
import { type Step, type Text, plain, rewrite, sub } from "./tracing.ts";
import type { Tables } from "./tables.ts";

/** Ranges in which all emoji lie, so that other texts need not be searched. */
const PICTURES = String.raw`[\u00a9\u00ae\u203c-\u3299\u{1f000}-\u{1ffff}]`;
const PICTURE = new RegExp(PICTURES, "u");
/** Most emoji with their modifiers, one by one, and flags, which have two letters. */
const SIGN = new RegExp(String.raw`[\u{1f1e6}-\u{1f1ff}]{2}|${PICTURES}(?:\ufe0f|\u200d[^\n])*`, "gu");
/** What is searched for emoji at a time, as in Python. */
const PIECE = new RegExp(
  String.raw`(?:(?:[\u{1f1e6}-\u{1f1ff}]{2}|${PICTURES})(?:[\ufe0f\u{e0020}-\u{e007f}]|\u200d[^\n]){0,20}|` +
    String.raw`[0-9#*]\ufe0f?\u20e3|[^${SPACE}]){1,20}`,
  "gu",
);
const SKIN_TONE = /(.?)[\u{1f3fb}-\u{1f3ff}]+/gsu;
/** A quick look for an emoticon, much faster than the pattern with all of them. */
const MAYBE_EMOTICON = new RegExp(
  String.raw`[:;=<>^xXD()\-](?<![^${SPACE}][^\n])[^a-zA-Z${SPACE}]|[:=]-?[DPp]${WORD_END}|[xX]D`,
  "u",
);
const EMOTICON_SIGNS = /[:;=<^D_]/;
const JOINER = "\u200d";
const VARIATIONS = ["\ufe0e", "\ufe0f"];

/** A sign of an emoji, and what can follow it in longer ones. */
interface Branch {
  words?: string;
  next: Map<string, Branch>;
}

/** A sign that was read: an emoji, if it has words. */
interface Found {
  sign: string;
  length: number;
  words?: string;
}

/** The step that replaces emoji by their names, and emoticons by a word. */
export function createEmojiToWords(tables: Tables): Step {
  const emoticons = new Map(Object.entries(tables.emoticons));
  const emoticon = emoticonPattern([...emoticons.keys()]);
  let replaceEmoji: ((text: string) => string) | undefined; // many pages never see an emoji

  return (text: Text): Text => {
    let now = text;
    if (!isAscii(plain(now)) && PICTURE.test(plain(now))) {
      replaceEmoji ??= createReplaceEmoji(tables);
      now = rewrite(
        replaceEmoji,
        sub(SKIN_TONE, (match) => match[1], now),
        SIGN,
      );
    }
    if (EMOTICON_SIGNS.test(plain(now)) && MAYBE_EMOTICON.test(plain(now))) {
      now = sub(emoticon, (match) => ` ${emoticons.get(match[1])} `, now);
    }
    return now;
  };
}

function emoticonPattern(signs: string[]): RegExp {
  const longestFirst = signs.sort((one, other) => other.length - one.length);
  const more = String.raw`(?:(?<=\))\)+|(?<=\()\(+)?`;
  return new RegExp(`(?<![^${SPACE}])(${longestFirst.map(literally).join("|")})${more}(?=$|[${SPACE}.,!?])`, "gu");
}

function createReplaceEmoji(tables: Tables): (text: string) => string {
  const tree: Branch = { next: new Map() };
  const all = new Set<string>();
  for (const [words, signs] of Object.entries(tables.emoji)) {
    for (const sign of signs.split(" ")) {
      all.add(sign);
      grow(tree, sign).words = words;
    }
  }
  const components = new Set(tables.emojiComponents);
  return (text) => text.replace(PIECE, (piece) => replaced(Array.from(piece), tree.next, all, components));
}

function grow(tree: Branch, sign: string): Branch {
  let branch = tree;
  for (const part of sign) {
    let next = branch.next.get(part);
    if (!next) {
      next = { next: new Map() };
      branch.next.set(part, next);
    }
    branch = next;
  }
  return branch;
}

/**
 * Replace emoji by their words.
 *
 * At each place the longest way through the tree is taken, and it is an emoji only if an emoji ends there. A joiner
 * between two emoji that are not one together is left out, and the emoji before it is read again without it.
 */
function replaced(signs: string[], tree: Map<string, Branch>, all: Set<string>, components: Set<string>): string {
  const pieces: string[] = [];
  let pending: Found[] = []; // read since the last sign that is in no emoji
  const leftOut = new Set<number>();
  const release = (): void => {
    for (const { sign, words } of pending) pieces.push(words === undefined ? sign : ` ${words} `);
    pending = [];
  };
  for (let place = 0; place < signs.length; place++) {
    if (leftOut.has(place)) continue;
    const sign = signs[place];
    const last = pending.at(-1);
    let branch = tree.get(sign);
    if (branch) {
      let end = place + 1;
      for (; end < signs.length && !leftOut.has(end); end++) {
        const next: Branch | undefined = branch.next.get(signs[end]);
        if (!next) break;
        branch = next;
      }
      if (branch.words !== undefined) {
        pending.push({ sign: signs.slice(place, end).join(""), length: end - place, words: branch.words });
        place = end - 1;
        continue;
      }
    } else if (sign === JOINER && last && all.has(last.sign) && tree.has(signs[place - 1])) {
      leftOut.add(place);
      place = readAgain(signs, place, pending, components.has(last.sign)) - 1;
      continue;
    } else {
      release();
    }
    if (!VARIATIONS.includes(sign)) pending.push({ sign, length: 1 });
  }
  release();
  return pieces.join("");
}

/** Take back what was read last before a joiner, a component together with the emoji before it; from where to read. */
function readAgain(signs: string[], joiner: number, pending: Found[], component: boolean): number {
  const back = pending.slice(component ? -2 : -1);
  const place = joiner - back.reduce((sum, found) => sum + found.length, 0);
  if (component && signs[place] === JOINER) {
    pending.pop();
    return place + 1;
  }
  pending.length -= back.length;
  return place;
}
