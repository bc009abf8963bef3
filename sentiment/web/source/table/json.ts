// JSON as Python's `json` reads and writes it: with its messages, names in their order, numbers as exact as they are
// written (`JSON.parse` makes 1.0 to 1 and rounds long ids), NaN, and an error for a name that occurs twice.

import { floatText, quoted } from "./python.ts";

/** A number, as Python would write it; a float that is not finite is NaN, inf or -inf. */
export class JsonNumber {
  constructor(readonly text: string) {}

  get isFinite(): boolean {
    return /\d/.test(this.text);
  }
}

export type JsonObject = Map<string, Json>;
export type Json = string | null | boolean | JsonNumber | Json[] | JsonObject;

/** Levels of lists and objects inside each other. Python's limit is about the same. */
const MOST_LEVELS = 980;
const NUMBER = /(-?(?:0|[1-9]\d*))(\.\d+)?([eE][-+]?\d+)?/y;
const ESCAPES = '"\\/bfnrt';
const WORDS: [string, Json][] = [
  ["null", null],
  ["true", true],
  ["false", false],
  ["NaN", new JsonNumber("nan")],
  ["Infinity", new JsonNumber("inf")],
  ["-Infinity", new JsonNumber("-inf")],
];

/** The value of a text; an Error with Python's message if it is not JSON. */
export function parseJson(text: string): Json {
  return new Parser(text).parse();
}

/** A value as JSON, as `json.dumps` writes it without `ensure_ascii`; NaN and infinity become null. */
export function jsonText(value: Json): string {
  if (value instanceof JsonNumber) return value.isFinite ? value.text : "null";
  if (value instanceof Map) {
    return `{${Array.from(value, ([name, item]) => `${JSON.stringify(name)}: ${jsonText(item)}`).join(", ")}}`;
  }
  if (Array.isArray(value)) return `[${value.map(jsonText).join(", ")}]`;
  return JSON.stringify(value);
}

class Parser {
  private at = 0;

  constructor(private readonly text: string) {}

  parse(): Json {
    this.skipSpace();
    const value = this.value(0);
    this.skipSpace();
    if (this.at < this.text.length) throw this.error("Extra data");
    return value;
  }

  private value(level: number): Json {
    const character = this.text[this.at];
    if (character === '"') return this.string();
    if (character === "{") return this.object(level + 1);
    if (character === "[") return this.list(level + 1);
    for (const [word, value] of WORDS) {
      if (this.text.startsWith(word, this.at)) {
        this.at += word.length;
        return value;
      }
    }
    NUMBER.lastIndex = this.at;
    const found = NUMBER.exec(this.text);
    if (found === null) throw this.error("Expecting value");
    this.at += found[0].length;
    const [all, integer, fraction, power] = found;
    const isInteger = fraction === undefined && power === undefined;
    return new JsonNumber(isInteger ? (integer === "-0" ? "0" : integer) : floatText(Number(all)));
  }

  private object(level: number): JsonObject {
    this.enter("object", level);
    const found: JsonObject = new Map();
    let twice: string | undefined;
    if (this.text[this.at] === "}") {
      this.at++;
      return found;
    }
    for (;;) {
      if (this.text[this.at] !== '"') throw this.error("Expecting property name enclosed in double quotes");
      const name = this.string();
      this.skipSpace();
      if (this.text[this.at] !== ":") throw this.error("Expecting ':' delimiter");
      this.at++;
      this.skipSpace();
      const value = this.value(level);
      if (found.has(name)) twice ??= name;
      found.set(name, value);
      if (this.isLast("}")) break;
    }
    if (twice !== undefined) throw new Error(`${quoted(twice)} occurs twice in one object`);
    return found;
  }

  private list(level: number): Json[] {
    this.enter("array", level);
    const found: Json[] = [];
    if (this.text[this.at] === "]") {
      this.at++;
      return found;
    }
    do found.push(this.value(level));
    while (!this.isLast("]"));
    return found;
  }

  private enter(kind: string, level: number): void {
    if (level > MOST_LEVELS) {
      throw new Error(`maximum recursion depth exceeded while decoding a JSON ${kind} from a unicode string`);
    }
    this.at++;
    this.skipSpace();
  }

  /** Whether the list or object ends here; otherwise a comma and another item follow. */
  private isLast(end: string): boolean {
    this.skipSpace();
    const character = this.text[this.at];
    if (character !== end && character !== ",") throw this.error("Expecting ',' delimiter");
    this.at++;
    if (character === ",") this.skipSpace();
    return character === end;
  }

  private string(): string {
    const { text } = this;
    const begin = this.at;
    let at = begin + 1;
    let escaped = false;
    for (; ; at++) {
      if (at >= text.length) throw this.error("Unterminated string starting at", begin);
      const code = text.charCodeAt(at);
      if (code === 0x22) break;
      if (code < 0x20) throw this.error("Invalid control character at", at);
      if (code === 0x5c) {
        escaped = true;
        at = this.checkEscape(at, begin);
      }
    }
    this.at = at + 1;
    return escaped ? (JSON.parse(text.slice(begin, at + 1)) as string) : text.slice(begin + 1, at);
  }

  /** Check the escape at a backslash; returns the place of its last character. */
  private checkEscape(at: number, begin: number): number {
    const character = this.text[at + 1];
    if (character === undefined) throw this.error("Unterminated string starting at", begin);
    if (character !== "u") {
      if (!ESCAPES.includes(character)) throw this.error("Invalid \\escape", at);
      return at + 1;
    }
    const digits = this.text.slice(at + 2, at + 6);
    if (at + 6 >= this.text.length || !/^[0-9a-fA-F]{4}$/.test(digits)) {
      throw this.error("Invalid \\uXXXX escape", at + 1);
    }
    return at + 5;
  }

  private skipSpace(): void {
    for (; ; this.at++) {
      const code = this.text.charCodeAt(this.at);
      if (code !== 0x20 && code !== 0x09 && code !== 0x0a && code !== 0x0d) return;
    }
  }

  private error(message: string, at = this.at): Error {
    const characters = Array.from(this.text.slice(0, at)).length; // Python does not count halves of characters
    return new Error(`${message}: line 1 column ${characters + 1} (char ${characters})`);
  }
}
