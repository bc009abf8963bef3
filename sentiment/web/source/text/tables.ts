// The data of the text pipeline. `sentiment/web/tables.py` writes it; the page loads it once, as JSON.

export interface Tables {
  /** {words: signs that they stand for, with spaces between} */
  emoji: Record<string, string>;
  /** Signs that are only part of an emoji, such as red hair. */
  emojiComponents: string[];
  /** {sign: its word} */
  emoticons: Record<string, string>;
  /** {name without its semicolon: text} of the entities of HTML */
  entities: Record<string, string>;
  /** Names of entities that need no semicolon, with spaces between. */
  openEntities: string;
  /** {number: text} of references such as `&#128;` that do not stand for the character of their number */
  references: Record<string, string>;
  /** What is replaced before a text is split into tokens, in order: old and new. */
  replacements: [string, string][];
  /** {encoding: what each of its 256 bytes stands for}, in the order in which they are tried */
  encodings: Record<string, string>;
  /** Patterns of the package ftfy, in JavaScript's notation, for the flag `u`. */
  patterns: {
    badness: string;
    utf8Detector: string;
    alteredUtf8: string;
    lossyUtf8: string;
    aGraveWord: string;
  };
  /** Usual names of columns, in lower case and without spaces and punctuation. */
  columns: { text: string[]; label: string[]; rating: string[] };
}
