import type { RequestFault } from '../shapes/request.js';

/** What a response says besides the score. */
export interface RequestAnswer {
  /** The guard or policy; default: the writer's model. */
  model?: string;
  /** Why there is no score; replaces the error. */
  fault?: RequestFault;
  /** The line of a request without a `custom_id`. */
  line?: number;
}

/** One line of the result: a score with its details, or an error. */
export interface ScoreRow {
  key: string;
  score?: number;
  harmful?: boolean;
  threshold?: number;
  tokens?: number;
  truncated?: boolean;
  error?: string;
  /** With an error: whether the row was unreadable rather than not scored. Only some formats tell them apart. */
  unreadable?: boolean;
  /** For a request of an OpenAI Batch file: details of its response. Ignored by other formats. */
  answer?: RequestAnswer;
  /** The scored item as submitted. Only written to JSON Lines. */
  item?: unknown;
}

/** The fields in output order. */
export const SCORE_COLUMNS = [
  'key',
  'score',
  'harmful',
  'threshold',
  'tokens',
  'truncated',
  'error',
] as const;
