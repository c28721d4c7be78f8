/** Reason codes of rejected rows, for counting. */
export const REJECT_KINDS = [
  /** A line, record, id or text is too long. */
  'too_long',
  /** Invalid UTF-8, or a lone surrogate. */
  'encoding',
  /** Invalid JSON. */
  'json',
  /** Invalid quotes, or a record with a different number of fields than the header. */
  'csv',
  /** A required field is missing. */
  'missing',
  /** More than one field could be scored. */
  'ambiguous',
  /** A wrong type, or an unusable value. */
  'type',
  /** An invalid request (OpenAI Batch). */
  'request',
  /** The guard cannot score it. */
  'guard',
  /** An unusable label or group. */
  'label',
] as const;
export type RejectKind = (typeof REJECT_KINDS)[number];

/** Why a row cannot be scored. */
export interface Rejection {
  rejectKind: RejectKind;
  /** A sentence for people. Never contains the row's text. */
  reason: string;
}

export const rejection = (rejectKind: RejectKind, reason: string): Rejection => ({ rejectKind, reason });
