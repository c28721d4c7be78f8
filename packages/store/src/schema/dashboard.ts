import { BATCH_STATES, VERDICTS } from '@tocsin/core';
import { sql } from 'drizzle-orm';
import {
  bigint,
  bigserial,
  boolean,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { apiKeys, bytea, now, time } from './access.js';
import { guards, runs } from './pipeline.js';

const runId = () => bigint('run_id', { mode: 'number' });

/**
 * A run's scored rows in the order of their scores, highest first, of equals the first row first: what histograms,
 * counts and pages are read from. It is made from `items` and `scores`, and can be made again at any time.
 */
export const runRankings = pgTable('run_rankings', {
  runId: runId()
    .primaryKey()
    .references(() => runs.id, { onDelete: 'cascade' }),
  builtAt: now('built_at'),
  /** How long that took: a ranking of a run that goes on is built again less often when it is dear. */
  builtInMs: integer('built_in_ms').notNull(),
  /** Rows with a score. */
  scored: bigint({ mode: 'number' }).notNull(),
  /** Rows whose content ended in an error. */
  failed: bigint({ mode: 'number' }).notNull(),
  /** The run is over and each of its rows that could be read has a score: this never changes any more. */
  final: boolean().notNull(),
});

/** Some 1,000 rows of a ranking, in one row: 8 bytes each, where rows of their own would take 60. */
export const rankingChunks = pgTable(
  'ranking_chunks',
  {
    runId: runId()
      .notNull()
      .references(() => runRankings.runId, { onDelete: 'cascade' }),
    /** From 0, the highest scores. */
    chunk: integer().notNull(),
    rows: integer().notNull(),
    /** The first row's and the last row's. */
    topScore: real('top_score').notNull(),
    topSeq: bigint('top_seq', { mode: 'number' }).notNull(),
    bottomScore: real('bottom_score').notNull(),
    bottomSeq: bigint('bottom_seq', { mode: 'number' }).notNull(),
    seqs: integer().array().notNull(),
    scores: real().array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.chunk] })],
);

/** Contents that a reviewer has before them: nobody else gets them until then, in whatever row they stand. */
export const reviewLeases = pgTable(
  'review_leases',
  {
    guardId: integer('guard_id').notNull(),
    content: bytea().notNull(),
    runId: runId()
      .notNull()
      .references(() => runs.id, { onDelete: 'cascade' }),
    seq: bigint({ mode: 'number' }).notNull(),
    reviewer: text().notNull(),
    until: time('until').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.guardId, table.content] }),
    index('review_leases_run').on(table.runId, table.reviewer),
  ],
);

/**
 * What people said of contents. Like a score, a verdict belongs to (guard, content): it serves every run that has the
 * content, and outlives the run in which it was given.
 */
export const verdicts = pgTable(
  'verdicts',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    guardId: integer('guard_id')
      .notNull()
      .references(() => guards.id),
    content: bytea().notNull(),
    /** Where the reviewer saw it; null when that run is gone. */
    runId: runId().references(() => runs.id, { onDelete: 'set null' }),
    seq: bigint({ mode: 'number' }).notNull(),
    /** At the time. */
    score: real().notNull(),
    reviewer: text().notNull(),
    verdict: text({ enum: VERDICTS }).notNull(),
    /** It may quote the text: it goes with the texts of its run. */
    note: text(),
    createdAt: now('created_at'),
    undoneAt: time('undone_at'),
  },
  (table) => [
    // One reviewer has one opinion; what was undone stays to be read.
    uniqueIndex('verdicts_one_of_each')
      .on(table.guardId, table.content, table.reviewer)
      .where(sql`undone_at is null`),
    index('verdicts_run').on(table.runId),
  ],
);

/** States of a batch that is not over. */
export const OPEN_BATCHES = sql.raw(`('validating', 'in_progress', 'finalizing', 'cancelling')`);

/** Files of the API. They may hold texts: they go when they expire, and with the run that they became. */
export const files = pgTable(
  'files',
  {
    /** `file-...` */
    id: text().primaryKey(),
    /** Null when no key was needed. */
    ownerKey: uuid('owner_key').references(() => apiKeys.id),
    filename: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull().default(0),
    purpose: text().notNull(),
    createdAt: now('created_at'),
    /** When its last byte was stored: until then it is nobody's. */
    completeAt: time('complete_at'),
    expiresAt: time('expires_at'),
  },
  (table) => [index('files_created').on(table.createdAt, table.id)],
);

export const fileChunks = pgTable(
  'file_chunks',
  {
    fileId: text('file_id')
      .notNull()
      .references(() => files.id, { onDelete: 'cascade' }),
    /** From 0. */
    n: integer().notNull(),
    data: bytea().notNull(),
  },
  (table) => [primaryKey({ columns: [table.fileId, table.n] })],
);

/** Why a batch has failed as a whole. */
export interface BatchFault {
  code: string | null;
  message: string;
  param: string | null;
  /** Of the input file. */
  line: number | null;
}

/** A file of requests that is scored as a run. The states are those of OpenAI's batches. */
export const batches = pgTable(
  'batches',
  {
    /** `batch_...` */
    id: text().primaryKey(),
    ownerKey: uuid('owner_key').references(() => apiKeys.id),
    /** The files may be deleted: then the batch still says what they were. */
    inputFile: text('input_file').notNull(),
    outputFile: text('output_file'),
    errorFile: text('error_file'),
    runId: runId().references(() => runs.id, { onDelete: 'set null' }),
    endpoint: text().notNull(),
    completionWindow: text('completion_window').notNull(),
    /** Seconds for which its output and error files are kept; null for as long as other files. */
    outputExpiresAfter: integer('output_expires_after'),
    /** The guard that scores it, by the name that requests have for it; null until it is known. */
    model: text(),
    state: text({ enum: BATCH_STATES }).notNull().default('validating'),
    total: integer().notNull().default(0),
    completed: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    metadata: jsonb().$type<Record<string, string>>(),
    /** Why it failed: as the API answers it. */
    errors: jsonb().$type<BatchFault[]>(),
    createdAt: now('created_at'),
    inProgressAt: time('in_progress_at'),
    finalizingAt: time('finalizing_at'),
    completedAt: time('completed_at'),
    failedAt: time('failed_at'),
    cancellingAt: time('cancelling_at'),
    cancelledAt: time('cancelled_at'),
    expiresAt: time('expires_at').notNull(),
    expiredAt: time('expired_at'),
    /** How often it was taken to be worked on: a process that knows an older number has lost it to another. */
    takes: integer().notNull().default(0),
    /** When the process that works on it was last heard of. */
    seenAt: time('seen_at'),
  },
  (table) => [
    index('batches_created').on(table.createdAt, table.id),
    index('batches_run').on(table.runId),
    index('batches_open').on(table.createdAt).where(sql`state in ${OPEN_BATCHES}`),
  ],
);
