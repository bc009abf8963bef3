// Lines of a text that comes in pieces.

/** Longest line or field; anything longer is a damaged file, not a review. */
export const LINE_CHARACTERS = 16 * 2 ** 20;

/** Of a longer line only so many characters are kept, so that no string gets too long for the browser. */
const KEPT_CHARACTERS = 4 * LINE_CHARACTERS;

export class LineSplitter {
  /** The start of a line that has not ended. Joined only at its end, since joining at each piece would be quadratic. */
  private start: string[] = [];
  private kept = 0;
  private endsInReturn = false;

  constructor(
    private readonly onLine: (line: string) => void,
    /** Whether a lone carriage return ends a line, too. */
    private readonly anyEnd: boolean,
  ) {}

  push(piece: string): void {
    if (piece === "") return;
    let from = 0;
    if (this.endsInReturn) {
      from = piece[0] === "\n" ? 1 : 0;
      this.finish(piece.slice(0, from));
    }
    let feed = piece.indexOf("\n", from);
    let cr = this.anyEnd ? piece.indexOf("\r", from) : -1;
    while (feed >= 0 || cr >= 0) {
      let end = cr >= 0 && (feed < 0 || cr < feed) ? cr : feed;
      if (end === cr && end === piece.length - 1) break; // the next piece may begin with \n
      if (end === cr && feed === cr + 1) end = feed;
      this.finish(piece.slice(from, end + 1));
      from = end + 1;
      if (feed >= 0 && feed < from) feed = piece.indexOf("\n", from);
      if (cr >= 0 && cr < from) cr = piece.indexOf("\r", from);
    }
    this.keep(piece.slice(from));
    this.endsInReturn = this.anyEnd && piece.endsWith("\r") && from < piece.length;
  }

  /** End of the text; the last line need not have an end. */
  end(): void {
    if (this.kept > 0) this.finish("");
  }

  private keep(part: string): void {
    if (part === "" || this.kept >= KEPT_CHARACTERS) return;
    this.start.push(part);
    this.kept += part.length;
  }

  private finish(rest: string): void {
    let line = rest;
    if (this.kept > 0) {
      this.keep(rest);
      line = this.start.join("");
      this.start = [];
      this.kept = 0;
    }
    this.endsInReturn = false;
    this.onLine(line);
  }
}

/** A line without its end. */
export function withoutEnd(line: string): string {
  let end = line.length;
  while (end > 0 && (line[end - 1] === "\n" || line[end - 1] === "\r")) end--;
  return line.slice(0, end);
}
