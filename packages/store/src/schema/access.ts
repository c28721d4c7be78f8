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

/** API keys. Never deleted, so that the audit log keeps their names; only their hashes are stored. */
export const apiKeys = pgTable('api_keys', {
  id: uuid().primaryKey().defaultRandom(),
  name: text().notNull(),
  /** The first characters of the key, for display. */
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

/** Sessions of the page. */
export const sessions = pgTable(
  'sessions',
  {
    /** sha256 of the cookie's value. */
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

/** Every change, and every read of a text. Never contains a text. Entries outlive their subjects. */
export const auditLog = pgTable(
  'audit_log',
  {
    id: bigserial({ mode: 'number' }).primaryKey(),
    at: now('at'),
    /** Null without a key: for the command line, or a loopback address before the first key. */
    keyId: uuid('key_id'),
    /** The name at that time. */
    who: text().notNull(),
    /** `policy.change`, `text.read`, ... */
    action: text().notNull(),
    /** The subject: a policy's name, a key's id, ... */
    subject: text().notNull(),
    runId: bigint('run_id', { mode: 'number' }),
    seq: bigint({ mode: 'number' }),
    /** Plain JSON: numbers, names. */
    details: jsonb().$type<Record<string, unknown>>(),
  },
  (table) => [index('audit_log_run').on(table.runId, table.id)],
);

/** Named thresholds. Applied when scores are read, so changing one rescores nothing. */
export const policies = pgTable('policies', {
  id: serial().primaryKey(),
  name: text().notNull().unique(),
  /** Scores from it on are flagged. */
  threshold: real().notNull(),
  /** Description. */
  meaning: text().notNull(),
  createdAt: now('created_at'),
  archivedAt: time('archived_at'),
});

export const POLICY_CHANGES = ['created', 'threshold', 'meaning', 'renamed', 'archived', 'restored'] as const;
export type PolicyChange = (typeof POLICY_CHANGES)[number];

/** The history of each policy; append-only. */
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
    /** The author's reason. */
    note: text(),
  },
  (table) => [index('policy_changes_policy').on(table.policyId, table.id)],
);
