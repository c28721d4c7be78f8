/** What is scored: one text, or a prompt, or a response, or both of them; or an agent's trajectory. */
export type RowContent = { text: string } | { prompt?: string; response?: string } | RowTrajectory;

/** An agent's messages and tools, as the JSON that stands in the row: what it says is the affair of who renders it. */
export interface RowTrajectory {
  /** An array, as JSON text: the spelling of numbers and the order of keys can change a score. */
  messages: string;
  /** JSON text of any value but null. */
  tools?: string;
}

/** JSON values of the fields that a reader was asked to keep, by name; a field that the row lacks is absent. */
export type KeptFields = Readonly<Record<string, unknown>>;

/** Where a row stands. */
interface RowPlace {
  /** 1-based, counts every row (items and rejects) of all sources. */
  seq: number;
  /** The row's id, else its line number; several rows may share one. */
  key: string;
  /** The source as it was given; `-` is stdin. */
  file: string;
  /** 1-based line in its file; blank lines count. */
  line: number;
  /** Absent when nothing was to be kept, or the line is no JSON object. */
  kept?: KeptFields;
}

/** A row that can be scored. */
export interface ItemRow extends RowPlace {
  kind: 'item';
  content: RowContent;
}

/** A row that cannot be scored. The reason is a sentence for a person and never holds the row's text. */
export interface RejectRow extends RowPlace {
  kind: 'reject';
  reason: string;
}

export type CorpusRow = ItemRow | RejectRow;
