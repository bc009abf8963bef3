// UTF-8 from bytes, strictly, but with its two common variants; mirrors the codec `utf-8-variants` of ftfy.

// Bytes are strings with one character, up to U+00FF, for each byte, so that patterns can search them.
const DECODER = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
// U+0000 as Java writes it, and characters beyond U+FFFF as two halves; like ftfy, a last line break passes for a byte
const VARIANT = /\xc0(?:\x80|\n$)|\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf](?:[\x80-\xbf]|\n$)/g;

/** The text of bytes, or undefined if they are no UTF-8. */
export function decodeUtf8(bytes: string): string | undefined {
  const pieces: string[] = [];
  let done = 0;
  try {
    for (const variant of bytes.matchAll(VARIANT)) {
      pieces.push(decodeStrictly(bytes.slice(done, variant.index)), decodeVariant(variant[0]));
      done = variant.index + variant[0].length;
    }
    pieces.push(decodeStrictly(bytes.slice(done)));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
  return pieces.join("");
}

function decodeStrictly(bytes: string): string {
  const array = new Uint8Array(bytes.length);
  for (let place = 0; place < bytes.length; place++) array[place] = bytes.charCodeAt(place);
  return DECODER.decode(array);
}

function decodeVariant(bytes: string): string {
  if (bytes.length === 2) return "\0";
  const bits = (place: number, mask: number): number => bytes.charCodeAt(place) & mask;
  const high = (bits(1, 0x0f) << 16) + (bits(2, 0x3f) << 10);
  return String.fromCodePoint(0x10000 + high + (bits(4, 0x0f) << 6) + bits(5, 0x3f));
}
