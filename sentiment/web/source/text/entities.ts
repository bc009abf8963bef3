// Entities of HTML; mirrors `entities` of sentiment/text/markup.py and `html.unescape` of Python.

import { type Step, type Text, plain, sub } from "./tracing.ts";
import type { Tables } from "./tables.ts";

const ENTITY = /&(?:#[0-9]+;?|#[xX][0-9a-fA-F]+;?|[^\t\n\f <&#;]{1,32};?)/gu;
const NESTED_ESCAPES = /&(?:[aA][mM][pP];|#38;|#[xX]26;)+/g;
const MOST_LEVELS = 4;
const UNKNOWN_CHARACTER = "\ufffd";

/** The steps that decode entities: once, or until nothing is escaped any more. */
export function createEntities(tables: Tables): { entitiesOnce: Step; entities: Step } {
  const names = new Map(Object.entries(tables.entities));
  const open = new Set(tables.openEntities.split(" "));
  const references = new Map(Object.entries(tables.references));

  const decoded = (entity: string): string => {
    const name = entity.slice(1);
    return name.startsWith("#") ? decodedNumber(name.slice(1)) : (decodedName(name) ?? entity);
  };

  const decodedNumber = (digits: string): string => {
    const number = /^[xX]/.test(digits) ? Number.parseInt(digits.slice(1), 16) : Number.parseInt(digits, 10);
    const other = references.get(String(number));
    if (other !== undefined) return other;
    if (number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff)) return UNKNOWN_CHARACTER;
    return String.fromCodePoint(number);
  };

  const decodedName = (name: string): string | undefined => {
    const whole = name.endsWith(";") ? names.get(name.slice(0, -1)) : undefined;
    if (whole !== undefined) return whole;
    // the longest name that needs no semicolon; what follows is text
    for (let length = name.length; length > 1; length--) {
      const start = name.slice(0, length);
      if (open.has(start)) return names.get(start) + name.slice(length);
    }
    return undefined;
  };

  const entitiesOnce = (text: Text): Text =>
    plain(text).includes("&") ? sub(ENTITY, (match) => decoded(match[0]), text) : text;

  const entities = (text: Text): Text => {
    if (!plain(text).includes("&")) return text;
    let now = sub(NESTED_ESCAPES, "&", text); // at once, since a thousand levels would take a thousand passes
    for (let level = 0; level < MOST_LEVELS; level++) {
      const before = plain(now);
      now = entitiesOnce(now);
      if (plain(now) === before) break;
    }
    return now;
  };

  return { entitiesOnce, entities };
}
