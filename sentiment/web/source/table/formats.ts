// Which files can be read: by the ending of their name, and by their first bytes.

import { InputError } from "./errors.ts";

export type Format = "csv" | "tsv" | "jsonl" | "txt";

export interface FileFormat {
  format: Format;
  gzipped: boolean;
}

const ENDINGS: Record<string, Format> = { csv: "csv", tsv: "tsv", jsonl: "jsonl", ndjson: "jsonl", txt: "txt" };
const READABLE = ".csv, .tsv, .jsonl, .ndjson or .txt, or one of these and .gz";

const SHEET = "save the sheet as CSV in your spreadsheet program, and drop that file";
const UNPACK = "unpack it, and drop the file that is in it";
const COPY = "copy the reviews into a .txt file, one per line";
const CONVERT = "convert it to CSV, and drop that file";
const SPLIT = "write one object per line, and call the file .jsonl";

/** What to do with files whose ending says that they are something else. */
const ADVICE: Record<string, string> = {
  xlsx: SHEET,
  xls: SHEET,
  xlsm: SHEET,
  ods: SHEET,
  numbers: SHEET,
  parquet: CONVERT,
  feather: CONVERT,
  arrow: CONVERT,
  sqlite: CONVERT,
  db: CONVERT,
  json: SPLIT,
  zip: UNPACK,
  zst: UNPACK,
  bz2: UNPACK,
  xz: UNPACK,
  "7z": UNPACK,
  rar: UNPACK,
  tar: UNPACK,
  gz: UNPACK,
  tgz: UNPACK,
  pdf: COPY,
  doc: COPY,
  docx: COPY,
  odt: COPY,
  rtf: COPY,
  html: COPY,
  htm: COPY,
  md: COPY,
};

/** First bytes of files that are not text. */
const MAGIC: [number[], string, string][] = [
  [[0x1f, 0x8b], "a .gz file", "add .gz to its name"],
  [[0x28, 0xb5, 0x2f, 0xfd], "a .zst file", UNPACK],
  [[0x50, 0x41, 0x52, 0x31], "a .parquet file", CONVERT],
  [[0x50, 0x4b, 0x03, 0x04], "an .xlsx or .zip file", `${SHEET}, or unpack it`],
  [[0xd0, 0xcf, 0x11, 0xe0], "an old .xls file", SHEET],
  [[0x42, 0x5a, 0x68], "a .bz2 file", UNPACK],
  [[0xfd, 0x37, 0x7a, 0x58], "an .xz file", UNPACK],
  [[0x25, 0x50, 0x44, 0x46], "a .pdf file", COPY],
  [[0x89, 0x50, 0x4e, 0x47], "a picture", COPY],
  [[0xff, 0xd8, 0xff], "a picture", COPY],
  [[0x47, 0x49, 0x46, 0x38], "a picture", COPY],
];

/** Format of a file by the ending of its name, in upper or lower case. */
export function formatOf(name: string, given?: Format): FileFormat {
  const [, ending = "", packed] = /[^.]\.([^.]+?)(\.gz)?$/i.exec(name) ?? [];
  const format = given ?? ENDINGS[ending.toLowerCase()];
  if (format !== undefined) return { format, gzipped: /\.gz$/i.test(name) };
  const advice = ADVICE[(packed === undefined ? ending : "gz").toLowerCase()];
  throw new InputError(`${name}: the file name must end in ${READABLE}${advice === undefined ? "" : `; ${advice}`}.`);
}

/** Check that the first bytes are not those of a file of another kind. */
export function checkText(name: string, start: Uint8Array): void {
  for (const [magic, kind, advice] of MAGIC) {
    if (magic.every((byte, index) => start[index] === byte)) {
      throw new InputError(`${name}: this is not text but ${kind}; ${advice}.`);
    }
  }
}
