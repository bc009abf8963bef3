// The text of a file in pieces, in the encoding that its bytes show. Like `sentiment/tables/opening.py`, except that a
// file in Windows-1252 is read, with a note, since a page has no option for the encoding.

import { InputError } from "./errors.ts";
import { checkText } from "./formats.ts";

export interface Source {
  file: Blob;
  name: string;
  gzipped: boolean;
}

export interface Encoding {
  label: "utf-8" | "utf-16le" | "utf-16be" | "windows-1252";
  /** Whether some bytes are not of the encoding. They become U+FFFD, and their rows are problems. */
  damaged: boolean;
  note: string;
}

/** A byte that is not of the encoding. */
export class NotDecoded extends Error {}

/** Share of bytes above 127 from which a text is in no Western language. */
const OTHER_SCRIPT = 0.3;

/** The encoding that the first bytes show: UTF-8, or UTF-16 with its mark. */
export async function encodingByMark(source: Source): Promise<Encoding> {
  let start: number[] = [];
  for await (const bytes of pieces(source)) {
    start = start.concat(...bytes.subarray(0, 8));
    if (start.length >= 4) break;
  }
  checkText(source.name, Uint8Array.from(start));
  const [a, b, c, d] = start;
  const little = a === 0xff && b === 0xfe;
  const big = a === 0xfe && b === 0xff;
  const utf32 = (little && c === 0 && d === 0) || (a === 0 && b === 0 && c === 0xfe && d === 0xff);
  const zeros = start.slice(0, 4).filter((byte) => byte === 0).length;
  if (utf32 || (zeros > 0 && start.length >= 4 && !little && !big)) {
    const width = utf32 || zeros > 2 ? 32 : 16;
    throw new InputError(`${source.name}: this is not text, or text in UTF-${width}; save it as UTF-8.`);
  }
  return { label: little ? "utf-16le" : big ? "utf-16be" : "utf-8", damaged: false, note: "" };
}

/** The encoding of a text that has bytes that are not of the first one. */
export async function otherEncoding(source: Source, before: Encoding): Promise<Encoding> {
  if (before.label !== "utf-8") {
    throw new InputError(`${source.name}: some bytes are not UTF-16, which the file begins with; save it as UTF-8.`);
  }
  const decoder = new TextDecoder();
  let [good, bad, zeros, high, size] = [0, 0, 0, 0, 0];
  for await (const bytes of pieces(source)) {
    size += bytes.length;
    for (const byte of bytes) {
      if (byte > 127) high++;
      else if (byte === 0) zeros++;
    }
    for (const [found] of decoder.decode(bytes, { stream: true }).matchAll(/[^\x00-\x7f]/gu)) {
      if (found === "\ufffd") bad++;
      else good++;
    }
  }
  if (zeros > 0) {
    throw new InputError(
      `${source.name}: this is not text, since it has bytes that no text has; save it as CSV in UTF-8.`,
    );
  }
  if (good > bad) return { label: "utf-8", damaged: true, note: "" };
  if (high >= OTHER_SCRIPT * size) {
    throw new InputError(`${source.name}: the encoding of this text cannot be recognized; save it as UTF-8.`);
  }
  return { label: "windows-1252", damaged: false, note: "The file is not in UTF-8; it was read as Windows-1252." };
}

/** The text, without its byte order mark. */
export async function* textOf(
  source: Source,
  encoding: Encoding,
  onProgress?: (share: number) => void,
): AsyncGenerator<string, void> {
  const decoder = new TextDecoder(encoding.label, { fatal: !encoding.damaged });
  const decode = (bytes?: Uint8Array): string => {
    try {
      return decoder.decode(bytes, { stream: bytes !== undefined });
    } catch {
      throw new NotDecoded();
    }
  };
  for await (const bytes of pieces(source, onProgress)) yield decode(bytes);
  yield decode();
}

/** The bytes of a file, unpacked. `onProgress` gets the share of its stored bytes that were read. */
async function* pieces(source: Source, onProgress?: (share: number) => void): AsyncGenerator<Uint8Array, void> {
  let read = 0;
  const counter = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>({
    transform(bytes, controller) {
      read += bytes.length;
      controller.enqueue(bytes);
    },
  });
  const counted = source.file.stream().pipeThrough(counter);
  const stream = source.gzipped ? counted.pipeThrough(new DecompressionStream("gzip")) : counted;
  const reader = stream.getReader(); // Safari cannot iterate over a stream
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => {
        const reason = source.gzipped ? "cannot be unpacked; it is damaged, or not a .gz file" : "cannot be read";
        throw new InputError(`${source.name}: ${reason}.`, { cause: error });
      });
      if (done) return;
      yield value;
      onProgress?.(read / source.file.size);
    }
  } finally {
    await reader.cancel().catch(() => undefined); // of what is left, after an error or a break
  }
}
