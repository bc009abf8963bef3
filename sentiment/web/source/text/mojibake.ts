// UTF-8 that was read in another encoding.
// Mirrors `mojibake` of sentiment/text/characters.py, and `fix_encoding` of the package ftfy.

import { isAscii } from "./patterns.ts";
import { type Step, type Text, plain, rewrite } from "./tracing.ts";
import type { Tables } from "./tables.ts";
import { decodeUtf8 } from "./utf8.ts";

/** A character in UTF-8 has two bytes or more, each of which a wrong decoding turns into a character of its own. */
const NEIGHBORS = /[^\x00-\x7f]{2}/u;
/** Control characters that are nothing but bytes of Windows text. */
const WINDOWS_BYTE = /[\x80-\x9f]/g;
const UNKNOWN_CHARACTER = "\xef\xbf\xbd"; // its bytes in UTF-8

/** The step that undoes UTF-8 that was read in another encoding, such as "isnâ€™t". */
export function createMojibake(tables: Tables): Step {
  const fixEncoding = createFixEncoding(tables);
  return (text: Text): Text =>
    isAscii(plain(text)) || !NEIGHBORS.test(plain(text)) ? text : rewrite(fixEncoding, text);
}

function createFixEncoding({ patterns, encodings }: Tables): (text: string) => string {
  const badness = new RegExp(patterns.badness, "u");
  const utf8 = new RegExp(patterns.utf8Detector, "gu");
  const altered = new RegExp(patterns.alteredUtf8, "gu");
  const lossy = new RegExp(patterns.lossyUtf8, "gu");
  const aGraveWord = new RegExp(patterns.aGraveWord, "gu");
  const windows = encodings["sloppy-windows-1252"];
  const byteMaps = Object.entries(encodings).map(([name, characters]) => ({ name, bytes: byteMap(characters) }));

  const fixEncoding = (text: string): string => {
    for (let now = text; ;) {
      const fixed = fixOnce(now);
      if (fixed === now) return now;
      now = fixed;
    }
  };

  const fixOnce = (text: string): string => {
    if (isAscii(text) || !badness.test(text)) return text;
    for (const { name, bytes } of byteMaps) {
      const encoded = encode(text, bytes);
      const fixed = encoded === undefined ? undefined : decodeUtf8(withLostBytes(encoded, name));
      if (fixed !== undefined) return fixed;
    }
    const fixed = text.replace(utf8, (part) => (part !== text && badness.test(part) ? fixEncoding(part) : part));
    if (fixed !== text) return fixed;
    return text.replace(WINDOWS_BYTE, (byte) => windows[byte.charCodeAt(0)]);
  };

  /** The bytes with those that other programs turned into spaces or signs for unknown characters. */
  const withLostBytes = (bytes: string, encoding: string): string => {
    let now = bytes;
    // in Mac Roman, a dash with a space behind it would look like one
    if (encoding !== "macroman" && now.search(altered) >= 0) {
      now = now.replace(aGraveWord, "\xc3\xa0 ").replace(altered, (part) => part.replaceAll(" ", "\xa0"));
    }
    return encoding.startsWith("sloppy") ? now.replace(lossy, UNKNOWN_CHARACTER) : now;
  };

  return fixEncoding;
}

/** {character: its byte} */
function byteMap(characters: string): Map<string, string> {
  return new Map(Array.from(characters, (character, byte) => [character, String.fromCharCode(byte)]));
}

/** The bytes of a text in an encoding, or undefined if it lacks one of its characters. */
function encode(text: string, bytes: Map<string, string>): string | undefined {
  let encoded = "";
  for (const character of text) {
    const byte = bytes.get(character);
    if (byte === undefined) return undefined;
    encoded += byte;
  }
  return encoded;
}
