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
 * A run's scored rows in score order, highest first, ties in corpus order: the source of histograms, counts and pages.
 * Derived from `items` and `scores`, and can be rebuilt at any time.
 */
export const runRankings = pgTable('run_rankings', {
  runId: runId()
    .primaryKey()
    .references(() => runs.id, { onDelete: 'cascade' }),
  builtAt: now('built_at'),
  /** Build time: an expensive ranking of an open run is rebuilt less often. */
  builtInMs: integer('built_in_ms').notNull(),
  /** Rows with a score. */
  scored: bigint({ mode: 'number' }).notNull(),
  /** Rows whose content has an error. */
  failed: bigint({ mode: 'number' }).notNull(),
  /** Final: the run has ended, and each readable row has a score. */
  final: boolean().notNull(),
});

/** About 1,000 rows of a ranking in one row: 8 bytes each, where separate rows would take 60. */
export const rankingChunks = pgTable(
  'ranking_chunks',
  {
    runId: runId()
      .notNull()
      .references(() => runRankings.runId, { onDelete: 'cascade' }),
    /** From 0, the highest scores. */
    chunk: integer().notNull(),
    rows: integer().notNull(),
    /** Of the first and the last row. */
    topScore: real('top_score').notNull(),
    topSeq: bigint('top_seq', { mode: 'number' }).notNull(),
    bottomScore: real('bottom_score').notNull(),
    bottomSeq: bigint('bottom_seq', { mode: 'number' }).notNull(),
    seqs: integer().array().notNull(),
    scores: real().array().notNull(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.chunk] })],
);

/** Contents leased to reviewers: no one else gets them until then, in any row. */
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
 * Verdicts on contents. Like a score, a verdict belongs to (guard, content): it applies to every run with the content,
 * and outlives its run.
 */
export const verdicts = pgTable(
  'verdicts',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    guardId: integer('guard_id')
      .notNull()
      .references(() => guards.id),
    content: bytea().notNull(),
    /** The run in which it was given; null when that was deleted. */
    runId: runId().references(() => runs.id, { onDelete: 'set null' }),
    seq: bigint({ mode: 'number' }).notNull(),
    /** At that time. */
    score: real().notNull(),
    reviewer: text().notNull(),
    verdict: text({ enum: VERDICTS }).notNull(),
    /** May quote the text, so it is deleted with the texts of its run. */
    note: text(),
    createdAt: now('created_at'),
    undoneAt: time('undone_at'),
  },
  (table) => [
    // One active verdict per reviewer; undone ones are kept as history.
    uniqueIndex('verdicts_one_of_each')
      .on(table.guardId, table.content, table.reviewer)
      .where(sql`undone_at is null`),
    index('verdicts_run').on(table.runId),
  ],
);

/** States of an unfinished batch. */
export const OPEN_BATCHES = sql.raw(`('validating', 'in_progress', 'finalizing', 'cancelling')`);

/** Files of the API. They may contain texts: they are deleted when they expire, and with their run. */
export const files = pgTable(
  'files',
  {
    /** `file-...` */
    id: text().primaryKey(),
    /** Null without keys. */
    ownerKey: uuid('owner_key').references(() => apiKeys.id),
    filename: text().notNull(),
    bytes: bigint({ mode: 'number' }).notNull().default(0),
    purpose: text().notNull(),
    createdAt: now('created_at'),
    /** Null while incomplete, and so invisible. */
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

/** An error of a whole batch. */
export interface BatchFault {
  code: string | null;
  message: string;
  param: string | null;
  /** Line of the input file. */
  line: number | null;
}

/** A file of requests, scored as a run. The states are those of OpenAI's batches. */
export const batches = pgTable(
  'batches',
  {
    /** `batch_...` */
    id: text().primaryKey(),
    ownerKey: uuid('owner_key').references(() => apiKeys.id),
    /** No foreign keys: the files may be deleted, and the batch keeps their ids. */
    inputFile: text('input_file').notNull(),
    outputFile: text('output_file'),
    errorFile: text('error_file'),
    runId: runId().references(() => runs.id, { onDelete: 'set null' }),
    endpoint: text().notNull(),
    completionWindow: text('completion_window').notNull(),
    /** Lifetime in seconds of its output and error files; null for the default. */
    outputExpiresAfter: integer('output_expires_after'),
    /** Its guard, by the name in requests; null until it is known. */
    model: text(),
    state: text({ enum: BATCH_STATES }).notNull().default('validating'),
    total: integer().notNull().default(0),
    completed: integer().notNull().default(0),
    failed: integer().notNull().default(0),
    metadata: jsonb().$type<Record<string, string>>(),
    /** Errors in the API's format. */
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
    /** Number of claims: a process with an older number has lost its claim. */
    takes: integer().notNull().default(0),
    /** Last heartbeat of the process that works on it. */
    seenAt: time('seen_at'),
  },
  (table) => [
    index('batches_created').on(table.createdAt, table.id),
    index('batches_run').on(table.runId),
    index('batches_open').on(table.createdAt).where(sql`state in ${OPEN_BATCHES}`),
  ],
);
