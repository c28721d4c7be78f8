import type { BatchState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';

/** Why a batch has failed as a whole. */
export interface BatchFault {
  code: string | null;
  message: string;
  param: string | null;
  /** Of the input file. */
  line: number | null;
}

/** A file of requests that is scored as a run. */
export interface BatchRow {
  /** `batch_...` */
  id: string;
  /** uuid; null when it was made without a key. */
  ownerKey: string | null;
  inputFile: string;
  outputFile: string | null;
  errorFile: string | null;
  runId: number | null;
  endpoint: string;
  completionWindow: string;
  /** Seconds for which its output and error file are kept; null for ever. */
  outputExpiresAfter: number | null;
  /** The guard, as requests name it; null until it is known. */
  model: string | null;
  state: BatchState;
  /** Requests; of a batch that is over also those with an answer, and those without. */
  total: number;
  completed: number;
  failed: number;
  metadata: Record<string, string> | null;
  /** Why it failed. */
  errors: BatchFault[] | null;
  createdAt: Date;
  inProgressAt: Date | null;
  finalizingAt: Date | null;
  completedAt: Date | null;
  failedAt: Date | null;
  cancellingAt: Date | null;
  cancelledAt: Date | null;
  expiresAt: Date;
  expiredAt: Date | null;
  /** How often it was taken: see `takeBatch`. */
  takes: number;
}

export const BATCH_COLUMNS = `b.id, b.owner_key as "ownerKey", b.input_file as "inputFile", b.output_file as "outputFile",
  b.error_file as "errorFile", b.run_id as "runId", b.endpoint, b.completion_window as "completionWindow", b.state,
  b.output_expires_after as "outputExpiresAfter", b.model,
  b.total, b.completed, b.failed, b.metadata, b.errors, b.created_at as "createdAt",
  b.in_progress_at as "inProgressAt", b.finalizing_at as "finalizingAt", b.completed_at as "completedAt",
  b.failed_at as "failedAt", b.cancelling_at as "cancellingAt", b.cancelled_at as "cancelledAt",
  b.expires_at as "expiresAt", b.expired_at as "expiredAt", b.takes`;

export interface NewBatch {
  id: string;
  ownerKey?: string | null;
  inputFile: string;
  endpoint: string;
  completionWindow: string;
  metadata?: Record<string, string> | null;
  /** Seconds for which output and error file are kept; for ever if left out. */
  outputExpiresAfter?: number;
  expiresAt: Date;
}

/** Makes a batch, in state `validating`: whoever takes it goes on with it. */
export async function addBatch(pool: Pool, batch: NewBatch): Promise<BatchRow> {
  const { rows } = await pool.query<BatchRow>(
    `insert into batches as b (id, owner_key, input_file, endpoint, completion_window, metadata, expires_at, output_expires_after)
     values ($1, $2, $3, $4, $5, $6, $7, $8) returning ${BATCH_COLUMNS}`,
    [
      batch.id,
      batch.ownerKey,
      batch.inputFile,
      batch.endpoint,
      batch.completionWindow,
      batch.metadata,
      batch.expiresAt,
      batch.outputExpiresAfter,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
  return row;
}

/** One; undefined when there is none. */
export async function findBatch(pool: Pool, id: string): Promise<BatchRow | undefined> {
  const { rows } = await pool.query<BatchRow>(`select ${BATCH_COLUMNS} from batches b where b.id = $1`, [id]);
  return rows[0];
}

export interface BatchesPage {
  limit: number;
  /** Older than this one. */
  after?: string;
  /** Batches of this key only. */
  ownerKey?: string;
}

/** Batches, the newest first. */
export async function pageBatches(pool: Pool, page: BatchesPage): Promise<BatchRow[]> {
  const { rows } = await pool.query<BatchRow>(
    `select ${BATCH_COLUMNS} from batches b
     where ($3::uuid is null or b.owner_key = $3)
       and ($2::text is null or (b.created_at, b.id) < (select created_at, id from batches where id = $2))
     order by b.created_at desc, b.id desc limit $1`,
    [page.limit, page.after, page.ownerKey],
  );
  return rows;
}
