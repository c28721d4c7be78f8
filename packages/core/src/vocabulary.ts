/**
 * The words that the database, the API, the command line and the page share, and the numbers that must be the same
 * everywhere. Imports nothing: the page bundles it.
 */

/** What a run can be. While it is in one of the first two it is open; in any other it is over. */
export const RUN_STATES = ['submitting', 'scoring', 'done', 'failed', 'cancelled'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const OPEN_RUN_STATES = ['submitting', 'scoring'] as const satisfies readonly RunState[];

/** Whether a run goes on: rows still come, or scores do. */
export function isOpen(state: RunState): boolean {
  return state === 'submitting' || state === 'scoring';
}

/** Whose texts stay in the database when a run is over. */
export const RETENTIONS = ['none', 'flagged', 'all'] as const;
export type Retention = (typeof RETENTIONS)[number];
export const DEFAULT_RETENTION: Retention = 'flagged';

/**
 * What a key may do. `submit`: score, and submit runs and see those of its own key. `read`: see all runs and texts.
 * `review`: that, and judge rows. `admin`: everything.
 */
export const ROLES = ['submit', 'read', 'review', 'admin'] as const;
export type Role = (typeof ROLES)[number];

/** What a reviewer says of a content. */
export const VERDICTS = ['harmful', 'fine', 'skip'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Which row a reviewer gets next. `uncertain`: the one whose score is nearest to the threshold. */
export const REVIEW_ORDERS = ['uncertain', 'score', 'random'] as const;
export type ReviewOrder = (typeof REVIEW_ORDERS)[number];

/** How the rows of a run are listed: by score, or as they stand in the corpus. */
export const ITEM_ORDERS = ['score_desc', 'score_asc', 'seq'] as const;
export type ItemOrder = (typeof ITEM_ORDERS)[number];

/** How a file of a corpus is read. */
export const INPUT_FORMATS = ['jsonl', 'csv', 'tsv', 'parquet'] as const;
export type InputFormat = (typeof INPUT_FORMATS)[number];

/** What a row of a corpus looks like. */
export const SHAPES = ['rows', 'openai-chat', 'openai-batch'] as const;
export type ShapeName = (typeof SHAPES)[number];

/**
 * The quotes of CSV and TSV: double or single ones enclose a field, inside which they are doubled; double ones that a backslash
 * escapes; or none, and a quote is an ordinary character.
 */
export const QUOTE_STYLES = ['double', 'single', 'backslash', 'none'] as const;
export type QuoteStyle = (typeof QUOTE_STYLES)[number];

/** How scores are written. */
export const SCORE_FORMATS = ['jsonl', 'csv', 'tsv', 'parquet', 'openai-batch'] as const;
export type ScoreFormat = (typeof SCORE_FORMATS)[number];

/**
 * How to treat existing rows of the table:
 * - `replace`: upsert by key, so that writing again changes nothing. If rows of one output share a key, the last score
 *   wins (an error never replaces a score), and the others are counted;
 * - `append`: always insert;
 * - `fail`: the table must be empty or missing.
 */
export const TABLE_MODES = ['replace', 'append', 'fail'] as const;
export type TableMode = (typeof TABLE_MODES)[number];

export const DEFAULT_TABLE_MODE = 'replace' satisfies TableMode;

/** Batch rows (`bulk`) and interactive requests (`express`). */
export const LANES = ['bulk', 'express'] as const;
export type LaneName = (typeof LANES)[number];

/** Why a schedule came due, and the outcome. */
export const FIRING_CAUSES = ['time', 'hand'] as const;
export type FiringCause = (typeof FIRING_CAUSES)[number];
export const FIRING_STATES = ['due', 'submitting', 'scoring', 'done', 'skipped', 'failed'] as const;
export type FiringState = (typeof FIRING_STATES)[number];

/** A message to a webhook. */
export const DELIVERY_STATES = ['pending', 'delivered', 'failed'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

/** Those of OpenAI's batches. */
export const BATCH_STATES = [
  'validating',
  'failed',
  'in_progress',
  'finalizing',
  'completed',
  'expired',
  'cancelling',
  'cancelled',
] as const;

/** A content is named by the sha256 of its token ids. */
export const HASH_BYTES = 32;

/** The migrations that were applied to Tocsin's tables. It is in their schema, whatever that is called, and marks it. */
export const MIGRATIONS_TABLE = 'tocsin_migrations';
