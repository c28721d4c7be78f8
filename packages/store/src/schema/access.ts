import { ROLES } from '@tocsin/core';
import {
  bigint,
  bigserial,
  customType,
  index,
  integer,
  jsonb,
  pgTable,
  real,
  serial,
  text,
  timestamp,
  uuid,
} from 'drizzle-orm/pg-core';

export const bytea = customType<{ data: Buffer }>({ dataType: () => 'bytea' });
export const tsvector = customType<{ data: string }>({ dataType: () => 'tsvector' });
export const time = (name: string) => timestamp(name, { withTimezone: true });
export const now = (name: string) => time(name).notNull().defaultNow();

/** Keys of the API. Never deleted, so that what was done with one keeps its name; the key itself is not in here. */
export const apiKeys = pgTable('api_keys', {
  id: uuid().primaryKey().defaultRandom(),
  name: text().notNull(),
  /** How the key begins: to be shown, so that people tell keys apart. */
  prefix: text().notNull(),
  /** sha256 of the key. */
  hash: bytea().notNull().unique(),
  role: text({ enum: ROLES }).notNull(),
  expiresAt: time('expires_at'),
  revokedAt: time('revoked_at'),
  createdAt: now('created_at'),
  createdBy: text('created_by').notNull(),
  lastUsedAt: time('last_used_at'),
});

/** Who is signed in on the page. */
export const sessions = pgTable(
  'sessions',
  {
    /** sha256 of what the cookie holds. */
    id: bytea().primaryKey(),
    keyId: uuid('key_id')
      .notNull()
      .references(() => apiKeys.id, { onDelete: 'cascade' }),
    createdAt: now('created_at'),
    expiresAt: time('expires_at').notNull(),
    lastSeenAt: now('last_seen_at'),
  },
  (table) => [index('sessions_key').on(table.keyId)],
);

/** Every change, and every read of a text: who, when, what. Never a text in it. It outlives what it tells of. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    at: now('at'),
    /** Null for whoever needed no key: the command line, or the loopback address before there was one. */
    keyId: uuid('key_id'),
    /** As it was called then. */
    who: text().notNull(),
    /** `policy.change`, `text.read`, ... */
    action: text().notNull(),
    /** What it was done to: a policy's name, a key's id, ... */
    subject: text().notNull(),
    runId: bigint('run_id', { mode: 'number' }),
    seq: bigint({ mode: 'number' }),
    /** Plain JSON: numbers, names. */
    details: jsonb().$type<Record<string, unknown>>(),
  },
  (table) => [index('audit_log_run').on(table.runId, table.id)],
);

/** Thresholds with a name. Applied when scores are read: nothing is scored again when one is moved. */
export const policies = pgTable('policies', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
  /** harmful when score >= threshold. */
  threshold: real().notNull(),
  /** What it is for, in words. */
  meaning: text().notNull(),
  createdAt: now('created_at'),
  archivedAt: time('archived_at'),
});

export const POLICY_CHANGES = ['created', 'threshold', 'meaning', 'renamed', 'archived', 'restored'] as const;
export type PolicyChange = (typeof POLICY_CHANGES)[number];

/** What became of each policy: nothing is ever taken out. */
export const policyChanges = pgTable(
  'policy_changes',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    policyId: integer('policy_id')
      .notNull()
      .references(() => policies.id),
    at: now('at'),
    who: text().notNull(),
    what: text({ enum: POLICY_CHANGES }).notNull(),
    thresholdFrom: real('threshold_from'),
    thresholdTo: real('threshold_to'),
    /** The name, or the meaning, before and after. */
    wordsFrom: text('words_from'),
    wordsTo: text('words_to'),
    /** Why, in the words of who did it. */
    note: text(),
  },
  (table) => [index('policy_changes_policy').on(table.policyId, table.id)],
);
