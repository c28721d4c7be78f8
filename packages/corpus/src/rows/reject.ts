/** Why rows cannot be scored, in a word each: for whoever counts them. */
export const REJECT_KINDS = [
  /** A line, a record, an id or a text is longer than it may be. */
  'too_long',
  /** Bytes that are no UTF-8, half of a surrogate pair. */
  'encoding',
  /** What should be JSON is none. */
  'json',
  /** Quotes that cannot be read, a record with another number of fields than the header. */
  'csv',
  /** Something that has to be there is not. */
  'missing',
  /** Two ways of saying what is to be scored. */
  'ambiguous',
  /** A value of another type, or a value that cannot be used. */
  'type',
  /** A request (OpenAI Batch) that has no answer. */
  'request',
  /** The guard cannot score it. */
  'guard',
  /** Its label or group cannot be used. */
  'label',
] as const;
export type RejectKind = (typeof REJECT_KINDS)[number];

/** Why a row cannot be scored. */
export interface Rejection {
  rejectKind: RejectKind;
  /** A sentence for a person, which never holds the row's text. */
  reason: string;
}

export const rejection = (rejectKind: RejectKind, reason: string): Rejection => ({ rejectKind, reason });
