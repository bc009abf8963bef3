// Numbers in the columns of a .csv or .tsv file, for JSON: a column in which all are numbers becomes numbers; the review
// stays text. Like `sentiment/tables/values.py`.

import { floatText } from "./python.ts";
import type { Table } from "./reader.ts";

/** Numbers as they are usually written and that a number can hold: not 007, not an id of 20 digits. */
const INTEGER = /^-?(0|[1-9][0-9]{0,17})$/;
const NUMBER = /^-?(0|[1-9][0-9]{0,14}|(0|[1-9][0-9]*)\.[0-9]+)([eE][-+]?[0-9]{1,2})?$/;

type Kind = "nothing" | "integer" | "float" | "text";

export class ColumnTypes {
  private readonly kinds: Kind[];

  constructor(table: Table) {
    this.kinds = table.columns.map((name, index) => {
      if (name === table.textColumn) return "text";
      let kind: Kind = "nothing";
      for (const { values } of table.rows) {
        const value = values[index];
        if (value === "") continue;
        if (!NUMBER.test(value) && !INTEGER.test(value)) return "text";
        kind = kind !== "float" && INTEGER.test(value) ? "integer" : "float";
      }
      return kind;
    });
  }

  /** JSON of a value of the column with this index. */
  jsonOf(index: number, value: string): string {
    const kind = this.kinds[index];
    if (kind === "text" || kind === "nothing") return JSON.stringify(value);
    if (value === "") return "null";
    if (kind === "float") return floatText(Number(value));
    return value === "-0" ? "0" : value;
  }
}
