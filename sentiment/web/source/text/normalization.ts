// Normalization of raw text: a list of named steps; mirrors sentiment/text/normalization.py.

import { characters } from "./characters.ts";
import { createEmojiToWords } from "./emoji.ts";
import { createEntities } from "./entities.ts";
import { escapes, markup, tags } from "./markup.ts";
import { createMojibake } from "./mojibake.ts";
import { ratings } from "./ratings.ts";
import type { Tables } from "./tables.ts";
import { type Step, type Text, sub } from "./tracing.ts";

const MOJIBAKE = "mojibake";
/**
 * Half of a character, which stands alone. In Python two halves never become one character. Here they would, if a step
 * removed what is between them; so they become a control character, which all steps but mojibake treat in the same way.
 */
const HALF = /[\ud800-\udfff]/gu;
const CONTROL = "\x7f";

/** {name in a model directory: step} */
export function createSteps(tables: Tables): Map<string, Step> {
  const { entitiesOnce, entities } = createEntities(tables);
  return new Map<string, Step>([
    ["entities-once", entitiesOnce],
    ["entities", entities],
    [MOJIBAKE, createMojibake(tables)],
    ["escapes", escapes],
    ["tags", tags],
    ["markup", markup],
    ["emoji", createEmojiToWords(tables)],
    ["ratings", ratings],
    ["characters", characters],
  ]);
}

/** Apply the steps that come before tokenization, in their order. */
export function normalize(text: Text, names: string[], steps: Map<string, Step>): Text {
  let now = text;
  let whole = false;
  for (const name of names) {
    const step = steps.get(name);
    if (!step) continue;
    if (!whole && name !== MOJIBAKE) {
      now = sub(HALF, CONTROL, now);
      whole = true;
    }
    now = step(now);
  }
  return now;
}
