import {
  DEFAULT_RETENTION,
  DELIVERY_STATES,
  FIRING_CAUSES,
  FIRING_STATES,
  RETENTIONS,
  RUN_STATES,
} from '@tocsin/core';
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
  serial,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core';
import { apiKeys, bytea, now, tsvector } from './access.js';

/** Guards whose scores are kept. */
export const guards = pgTable('guards', {
  id: serial().primaryKey(),
  fingerprint: text().notNull().unique(),
  /** As it was asked for the first time; for people. */
  ref: text().notNull(),
  /** Names the guard's queue. Two databases may share one Redis: each has queues of its own. */
  queue: uuid().notNull().unique().defaultRandom(),
  createdAt: now('created_at'),
});

/** One corpus scored by one guard. */
export const runs = pgTable('runs', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  guardId: integer('guard_id')
    .notNull()
    .references(() => guards.id),
  /** What is scored, for people: file names. */
  name: text().notNull(),
  /** Absolute paths of its files, directories and patterns, which no output of the run may replace. */
  sources: text().array().notNull().default([]),
  /** What was guessed, skipped or is doubtful in the corpus, for people. */
  notes: text().array().notNull().default([]),
  state: text({ enum: RUN_STATES }).notNull().default('submitting'),
  /** harmful when score >= threshold, for this run's counts and texts; null for the guard's default. */
  threshold: real(),
  retain: text({ enum: RETENTIONS }).notNull().default(DEFAULT_RETENTION),
  /** Rows of the corpus that are in the store: all up to this one, none after it. */
  rows: bigint({ mode: 'number' }).notNull().default(0),
  /** Contents without a score when the run came to them, whoever had asked for them before. */
  fresh: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows whose content had a score before this run came to it. */
  known: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows whose content stands in an earlier row of this run. */
  duplicates: bigint({ mode: 'number' }).notNull().default(0),
  rejected: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows longer than the guard's maximum length. */
  truncated: bigint({ mode: 'number' }).notNull().default(0),
  createdAt: now('created_at'),
  /** When the process that waits for the run was last heard of; null for a run that nobody has to wait for. */
  seenAt: timestamp('seen_at', { withTimezone: true }),
  /** When the last row of the corpus was in the store; null when it never was. */
  submittedAt: timestamp('submitted_at', { withTimezone: true }),
  finishedAt: timestamp('finished_at', { withTimezone: true }),
  /** Why it failed, or who cancelled it where that was no person; one or more lines. */
  reason: text(),
  /** The key that it was submitted with; null when that took none. */
  ownerKey: uuid('owner_key').references(() => apiKeys.id),
  /** When the last of its texts got its `search`. */
  searchableAt: timestamp('searchable_at', { withTimezone: true }),
});

/**
 * The rows of a run's corpus, in its order. Without a reference to the run: the check of each row took half of a
 * window's time. They are stored in the transaction that moves their run on, and deleted before it is.
 */
export const items = pgTable(
  'items',
  {
    runId: bigint('run_id', { mode: 'number' }).notNull(),
    /** From 1. */
    seq: bigint({ mode: 'number' }).notNull(),
    key: text().notNull(),
    /** Content hash; null for a reject. */
    content: bytea(),
    truncated: boolean().notNull().default(false),
    /** Why the row cannot be scored. */
    reject: text(),
  },
  (table) => [primaryKey({ columns: [table.runId, table.seq] })],
);

/**
 * Texts of a run's rows, as JSON of what was given (prompt/response, messages). Written with the rows; what is not
 * retained goes when the run is over. Without a reference to the run, as the rows.
 */
export const itemTexts = pgTable(
  'item_texts',
  {
    runId: bigint('run_id', { mode: 'number' }).notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    /** JSON in a text column: jsonb takes no NUL, and a text may hold one. */
    json: text().notNull(),
    /** Its words, once the run is over: the way of a window is not burdened with it. */
    search: tsvector(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.seq] }),
    index('item_texts_search').using('gin', table.search).where(sql`search is not null`),
  ],
);

export const PARCEL_STATES = ['waiting', 'done', 'cancelled'] as const;
export type ParcelState = (typeof PARCEL_STATES)[number];

/** Contents that are queued, leased and finished together. What they hold goes when they are done. */
export const parcels = pgTable(
  'parcels',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    /** Null for an express parcel: rows that somebody waits for, of no run. */
    runId: bigint('run_id', { mode: 'number' }).references(() => runs.id, { onDelete: 'cascade' }),
    guardId: integer('guard_id').notNull(),
    state: text({ enum: PARCEL_STATES }).notNull().default('waiting'),
    contents: integer().notNull(),
    tokens: integer().notNull(),
    /** 32 bytes a content, one after another. */
    hashes: bytea(),
    /** int32 little-endian a content: its tokens. */
    lengths: bytea(),
    /** int32 little-endian a token, content after content. */
    tokenIds: bytea('token_ids'),
    /** Workers that have died, or were cut off, while they held it: see `tryAlone`. */
    lostLeases: integer('lost_leases').notNull().default(0),
    createdAt: now('created_at'),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
  },
  (table) => [
    index('parcels_run_state').on(table.runId, table.state),
    index('parcels_guard_state').on(table.guardId, table.state, table.id),
  ],
);

/**
 * Scores, by guard and content: they belong to no run. A row without score and error is claimed: its parcel will
 * bring one or the other.
 */
export const scores = pgTable(
  'scores',
  {
    guardId: integer('guard_id').notNull(),
    content: bytea().notNull(),
    parcelId: bigint('parcel_id', { mode: 'number' }).notNull(),
    tokens: integer().notNull(),
    score: real(),
    error: text(),
  },
  (table) => [primaryKey({ columns: [table.guardId, table.content] })],
);

/** One row: the name that this database has on a Redis server which others may share. */
export const installation = pgTable('installation', {
  only: boolean().primaryKey().default(true),
  id: uuid().notNull().defaultRandom(),
});

/** Corpora that are scored again and again. */
export const schedules = pgTable('schedules', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
  /** Five fields. */
  cron: text().notNull(),
  /** IANA. */
  timeZone: text('time_zone').notNull(),
  /** What is submitted, and how. */
  request: jsonb().notNull(),
  /** Where the summary of a run goes; null for nowhere. */
  webhookUrl: text('webhook_url'),
  /** The environment variable that holds the secret. The secret itself is never in the database. */
  webhookSecretEnv: text('webhook_secret_env'),
  /** Why nothing is sent there any more. */
  webhookClosed: text('webhook_closed'),
  enabled: boolean().notNull().default(true),
  /** The next time that has not become a firing; in the past when nothing ran then. */
  nextAt: timestamp('next_at', { withTimezone: true }).notNull(),
  createdAt: now('created_at'),
});

/** Times at which a schedule came due, and what came of each. */
export const firings = pgTable(
  'firings',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    scheduleId: integer('schedule_id')
      .notNull()
      .references(() => schedules.id, { onDelete: 'cascade' }),
    dueAt: timestamp('due_at', { withTimezone: true }).notNull(),
    cause: text({ enum: FIRING_CAUSES }).notNull(),
    state: text({ enum: FIRING_STATES }).notNull().default('due'),
    runId: bigint('run_id', { mode: 'number' }).references(() => runs.id, { onDelete: 'set null' }),
    /** How often it was taken to be submitted: a process that knows an older number has lost it to another. */
    takes: integer().notNull().default(0),
    /** When the process that submits it was last heard of. */
    seenAt: timestamp('seen_at', { withTimezone: true }),
    startedAt: timestamp('started_at', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    /** What came of it, in numbers. */
    summary: jsonb(),
    /** Why it was skipped, or has failed. */
    reason: text(),
  },
  (table) => [
    unique('firings_schedule_due').on(table.scheduleId, table.dueAt),
    // A schedule never overlaps itself: whoever would make the second firing cannot.
    uniqueIndex('firings_one_at_a_time')
      .on(table.scheduleId)
      .where(sql`state in ('due', 'submitting', 'scoring')`),
  ],
);

/** Summaries on their way to a webhook: written with the end of a firing, in one transaction. */
export const deliveries = pgTable(
  'deliveries',
  {
    /** The `webhook-id`: the same at every attempt. */
    id: text().primaryKey(),
    firingId: bigint('firing_id', { mode: 'number' })
      .notNull()
      .unique()
      .references(() => firings.id, { onDelete: 'cascade' }),
    /** JSON, as it is sent: every attempt sends the same bytes. */
    body: text().notNull(),
    state: text({ enum: DELIVERY_STATES }).notNull().default('pending'),
    attempts: integer().notNull().default(0),
    /** Not tried before. */
    nextAt: timestamp('next_at', { withTimezone: true }).notNull().defaultNow(),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    createdAt: now('created_at'),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
  },
  (table) => [index('deliveries_pending').on(table.nextAt).where(sql`state = 'pending'`)],
);
