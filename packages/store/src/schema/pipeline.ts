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

/** Guards with stored scores. */
export const guards = pgTable('guards', {
  id: serial().primaryKey(),
  fingerprint: text().notNull().unique(),
  /** Its first reference; for display. */
  ref: text().notNull(),
  /** Names the guard's queue; unique, because databases may share one Redis. */
  queue: uuid().notNull().unique().defaultRandom(),
  createdAt: now('created_at'),
});

/** One corpus scored by one guard. */
export const runs = pgTable('runs', {
  id: bigserial({ mode: 'number' }).primaryKey(),
  guardId: integer('guard_id')
    .notNull()
    .references(() => guards.id),
  /** File names, for display. */
  name: text().notNull(),
  /** Absolute paths of its files, directories and globs, which no output of the run may overwrite. */
  sources: text().array().notNull().default([]),
  /** What was guessed or skipped, or looks doubtful in the corpus. */
  notes: text().array().notNull().default([]),
  state: text({ enum: RUN_STATES }).notNull().default('submitting'),
  /** Threshold of this run's counts and retained texts; null for the guard's default. */
  threshold: real(),
  retain: text({ enum: RETENTIONS }).notNull().default(DEFAULT_RETENTION),
  /** Stored rows of the corpus: all up to this one, none after it. */
  rows: bigint({ mode: 'number' }).notNull().default(0),
  /** Contents without a score when they were submitted. */
  fresh: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows with a cached score. */
  known: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows whose content occurs in an earlier row of this run. */
  duplicates: bigint({ mode: 'number' }).notNull().default(0),
  rejected: bigint({ mode: 'number' }).notNull().default(0),
  /** Rows longer than the guard's maximum length. */
  truncated: bigint({ mode: 'number' }).notNull().default(0),
  createdAt: now('created_at'),
  /** Last heartbeat of the run's process; null when none has to attend it. */
  seenAt: timestamp('seen_at', { withTimezone: true }),
  /** When the corpus was completely stored; null before that. */
  submittedAt: timestamp('submitted_at', { withTimezone: true }),
  finishedAt: timestamp('finished_at', { withTimezone: true }),
  /** Why it failed, or what cancelled it if not a person; one or more lines. */
  reason: text(),
  /** The submitting key; null without one. */
  ownerKey: uuid('owner_key').references(() => apiKeys.id),
  /** When its texts were completely indexed. */
  searchableAt: timestamp('searchable_at', { withTimezone: true }),
});

/**
 * The rows of a run's corpus, in order. No foreign key to the run: checking it took half of a window's time. They are
 * written in the transaction that updates their run, and deleted before it.
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
 * Texts of a run's rows, as JSON of the item. Written with the rows; deleted after the run unless retained. No foreign
 * key, for the same reason.
 */
export const itemTexts = pgTable(
  'item_texts',
  {
    runId: bigint('run_id', { mode: 'number' }).notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    /** JSON in a text column: jsonb rejects NUL, which a text may contain. */
    json: text().notNull(),
    /** Its words; indexed after the run, to keep submission fast. */
    search: tsvector(),
  },
  (table) => [
    primaryKey({ columns: [table.runId, table.seq] }),
    index('item_texts_search').using('gin', table.search).where(sql`search is not null`),
  ],
);

export const PARCEL_STATES = ['waiting', 'done', 'cancelled'] as const;
export type ParcelState = (typeof PARCEL_STATES)[number];

/** Contents that are queued, leased and finished together. Emptied when done. */
export const parcels = pgTable(
  'parcels',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    /** Null for an express parcel: interactive contents outside any run. */
    runId: bigint('run_id', { mode: 'number' }).references(() => runs.id, { onDelete: 'cascade' }),
    guardId: integer('guard_id').notNull(),
    state: text({ enum: PARCEL_STATES }).notNull().default('waiting'),
    contents: integer().notNull(),
    tokens: integer().notNull(),
    /** 32 bytes per content, concatenated. */
    hashes: bytea(),
    /** int32 little-endian per content: its number of tokens. */
    lengths: bytea(),
    /** int32 little-endian per token, concatenated. */
    tokenIds: bytea('token_ids'),
    /** Lost leases: workers that died or were disconnected while they held it. */
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
 * Scores by guard and content, independent of runs. A row without score and error is a claim: its parcel will set one
 * of them.
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

/** A single row: this database's name on a shared Redis server. */
export const installation = pgTable('installation', {
  only: boolean().primaryKey().default(true),
  id: uuid().notNull().defaultRandom(),
});

/** Corpora that are scored on a schedule. */
export const schedules = pgTable('schedules', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
  /** Five fields. */
  cron: text().notNull(),
  /** IANA. */
  timeZone: text('time_zone').notNull(),
  /** The request to submit. */
  request: jsonb().notNull(),
  /** Webhook for summaries; null for none. */
  webhookUrl: text('webhook_url'),
  /** The environment variable with the secret. The secret itself is never stored. */
  webhookSecretEnv: text('webhook_secret_env'),
  /** Why the webhook is closed. */
  webhookClosed: text('webhook_closed'),
  enabled: boolean().notNull().default(true),
  /** The next time without a firing; in the past when no scheduler ran then. */
  nextAt: timestamp('next_at', { withTimezone: true }).notNull(),
  createdAt: now('created_at'),
});

/** Due times of schedules and their outcomes. */
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
    /** Number of claims: a process with an older number has lost its claim. */
    takes: integer().notNull().default(0),
    /** Last heartbeat of the submitting process. */
    seenAt: timestamp('seen_at', { withTimezone: true }),
    startedAt: timestamp('started_at', { withTimezone: true }),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
    /** The summary, in numbers. */
    summary: jsonb(),
    /** Why it was skipped or failed. */
    reason: text(),
  },
  (table) => [
    unique('firings_schedule_due').on(table.scheduleId, table.dueAt),
    // Prevents overlapping firings of a schedule.
    uniqueIndex('firings_one_at_a_time')
      .on(table.scheduleId)
      .where(sql`state in ('due', 'submitting', 'scoring')`),
  ],
);

/** Outgoing webhook messages: written with the end of a firing, in one transaction. */
export const deliveries = pgTable(
  'deliveries',
  {
    /** The `webhook-id`: the same at every attempt. */
    id: text().primaryKey(),
    firingId: bigint('firing_id', { mode: 'number' })
      .notNull()
      .unique()
      .references(() => firings.id, { onDelete: 'cascade' }),
    /** The JSON body: every attempt sends the same bytes. */
    body: text().notNull(),
    state: text({ enum: DELIVERY_STATES }).notNull().default('pending'),
    attempts: integer().notNull().default(0),
    /** Earliest time of the next attempt. */
    nextAt: timestamp('next_at', { withTimezone: true }).notNull().defaultNow(),
    lastStatus: integer('last_status'),
    lastError: text('last_error'),
    createdAt: now('created_at'),
    finishedAt: timestamp('finished_at', { withTimezone: true }),
  },
  (table) => [index('deliveries_pending').on(table.nextAt).where(sql`state = 'pending'`)],
);
