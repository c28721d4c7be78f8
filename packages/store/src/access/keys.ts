import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import { and, asc, desc, eq, getTableColumns, gt, inArray, isNull, or, sql } from 'drizzle-orm';
import { apiKeys, sessions } from '../schema/access.js';
import { inserted, runQuery } from '../schema/run-query.js';

/** Prefix of every key, so that secret scanners can find leaked ones. */
export const KEY_MARK = 'tcs_';
const KEY_BYTES = 32;
/** Displayed characters of a key. */
const PREFIX_LETTERS = 12;

/** All columns but the hash. */
const { hash: HASH, ...columns } = getTableColumns(apiKeys);
export const KEY = columns;
export type KeyRow = Omit<typeof apiKeys.$inferSelect, 'hash'>;

export interface NewKey {
  name: string;
  role: Role;
  expiresAt?: Date;
  createdBy: string;
}

export const KEY_IS_VALID = and(
  isNull(apiKeys.revokedAt),
  or(isNull(apiKeys.expiresAt), gt(apiKeys.expiresAt, sql`now()`)),
);

/**
 * Creates a key. The database only stores its hash, so it cannot be shown again. A key has 256 random bits, so a fast hash
 * suffices, and looking up the hash is safe against timing attacks.
 * @returns the key itself, to be shown once, and its row
 */
export async function createKey(pool: Pool, newKey: NewKey): Promise<{ key: string; row: KeyRow }> {
  const key = KEY_MARK + randomBytes(KEY_BYTES).toString('base64url');
  const values = { ...newKey, prefix: key.slice(0, PREFIX_LETTERS), hash: hashOfSecret(key) };
  const row = inserted(await runQuery(pool, (db) => db.insert(apiKeys).values(values).returning(KEY)));
  return { key, row };
}

/**
 * Looks up keys in one query, and records their use.
 * @returns the rows of the valid keys (neither revoked nor expired), by key
 */
export async function checkKeys(pool: Pool, keys: readonly string[]): Promise<Map<string, KeyRow>> {
  const byHash = byHashOf(keys);
  const rows = await runQuery(pool, (db) =>
    db
      .select({ ...KEY, hash: HASH, unnoted: sql<boolean>`${USE_IS_UNNOTED}` })
      .from(apiKeys)
      .where(and(inArray(HASH, hashesOf(byHash)), KEY_IS_VALID)),
  );
  const found = new Map<string, KeyRow>();
  for (const { hash, unnoted, ...row } of rows) {
    if (unnoted) await noteUse(pool, row.id);
    found.set(byHash.get(hash.toString('hex')) ?? '', row);
  }
  return found;
}

/** At most once a minute, because concurrent updates of a row wait for each other. */
const USE_IS_UNNOTED = sql`(${apiKeys.lastUsedAt} is null or ${apiKeys.lastUsedAt} < now() - interval '1 minute')`;

export async function noteUse(pool: Pool, keyId: string): Promise<void> {
  await runQuery(pool, (db) =>
    db
      .update(apiKeys)
      .set({ lastUsedAt: sql`now()` })
      .where(and(eq(apiKeys.id, keyId), USE_IS_UNNOTED)),
  );
}

/** Whether any key was ever created: from then on every request needs one, even when all are revoked. */
export async function anyKey(pool: Pool): Promise<boolean> {
  const rows = await runQuery(pool, (db) => db.select({ id: apiKeys.id }).from(apiKeys).limit(1));
  return rows.length > 0;
}

/** All keys, newest first, including revoked and expired ones. */
export function listKeys(pool: Pool): Promise<KeyRow[]> {
  return runQuery(pool, (db) =>
    db.select(KEY).from(apiKeys).orderBy(desc(apiKeys.createdAt), asc(apiKeys.id)),
  );
}

/**
 * Revokes a key, and ends its sessions. A revoked key stays unchanged.
 * @param which its id or displayed prefix
 * @returns undefined when there is no such key
 */
export function revokeKey(pool: Pool, which: string): Promise<KeyRow | undefined> {
  return inTransaction(pool, async (client) => {
    const [row] = await runQuery(client, (db) =>
      db
        .update(apiKeys)
        .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, now())` })
        .where(or(eq(sql`${apiKeys.id}::text`, which), eq(apiKeys.prefix, which)))
        .returning(KEY),
    );
    if (row !== undefined)
      await runQuery(client, (db) => db.delete(sessions).where(eq(sessions.keyId, row.id)));
    return row;
  });
}

/** The stored hash of a secret. */
export const hashOfSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();

/** Secrets by their hashes in hex: a Map compares Buffers by identity. */
export const byHashOf = (secrets: readonly string[]): Map<string, string> =>
  new Map(secrets.map((secret) => [hashOfSecret(secret).toString('hex'), secret]));
export const hashesOf = (byHash: ReadonlyMap<string, string>): Buffer[] =>
  [...byHash.keys()].map((hash) => Buffer.from(hash, 'hex'));
