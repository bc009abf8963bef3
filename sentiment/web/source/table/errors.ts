// What can be wrong with a file as a whole. Each message is for the user: what is wrong, and what to do.

import type { Format } from "./formats.ts";

/** A file that cannot be read. */
export class InputError extends Error {
  override name = "InputError";
}

/** Nobody knows which column is the review. The page asks, and reads again with `textColumn` (or `header: false`). */
export class ChooseColumn extends InputError {
  override name = "ChooseColumn";

  constructor(
    message: string,
    /** The columns that could be meant, if there are some. */
    readonly candidates: string[],
    readonly columns: string[],
    /** Whether the first line could be a review, so that the file has no header. */
    readonly headerUnclear = false,
  ) {
    super(message);
  }
}

/** The first line of a .txt file is the start of a table. The page asks, and reads again with `format`. */
export class TableInText extends InputError {
  override name = "TableInText";

  constructor(
    message: string,
    readonly format: Format,
  ) {
    super(message);
  }
}
