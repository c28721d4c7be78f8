import type { RequestFault } from '../shapes/request.js';

/** What an answer to a request says beyond a score. */
export interface RequestAnswer {
  /** Who has judged; the writer's own model when absent. */
  model?: string;
  /** Why there is no score, in place of what the error alone tells. */
  fault?: RequestFault;
  /** The line of a request that has no `custom_id`. */
  line?: number;
}

/** One line of the result: a score with all that belongs to it, or the error that stands in its place. */
export interface ScoreRow {
  key: string;
  score?: number;
  harmful?: boolean;
  threshold?: number;
  tokens?: number;
  truncated?: boolean;
  error?: string;
  /** With an error: whether the row could not be read (else it could not be scored). Told apart by some formats only. */
  unreadable?: boolean;
  /** Of a request of an OpenAI Batch file: what its answer says beyond the score. Other formats have no place for it. */
  answer?: RequestAnswer;
  /** What was scored, as it was given. Only JSON Lines have a place for it. */
  item?: unknown;
}

/** The fields in the order in which they are written. */
export const SCORE_COLUMNS = [
  'key',
  'score',
  'harmful',
  'threshold',
  'tokens',
  'truncated',
  'error',
] as const;
