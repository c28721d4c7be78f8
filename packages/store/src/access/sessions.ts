import { randomBytes } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import { and, eq, gt, inArray, lt, sql } from 'drizzle-orm';
import { apiKeys, sessions } from '../schema/access.js';
import { runQuery } from '../schema/run-query.js';
import { byHashOf, hashesOf, hashOfSecret, KEY, KEY_IS_VALID, type KeyRow, noteUse } from './keys.js';

const TOKEN_BYTES = 32;

/**
 * Creates a session for a key.
 * @returns the cookie's value; the database stores its hash
 */
export async function beginSession(pool: Pool, keyId: string, seconds: number): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  const expiresAt = sql`now() + make_interval(secs => ${seconds})`;
  await runQuery(pool, (db) => db.insert(sessions).values({ id: hashOfSecret(token), keyId, expiresAt }));
  return token;
}

const SESSION_IS_VALID = and(gt(sessions.expiresAt, sql`now()`), KEY_IS_VALID);

/**
 * Looks up sessions in one query, and records the use of them and their keys.
 * @returns each session's key by the session's token; only if both are valid
 */
export async function checkSessions(pool: Pool, tokens: readonly string[]): Promise<Map<string, KeyRow>> {
  const byHash = byHashOf(tokens);
  const rows = await runQuery(pool, (db) =>
    db
      .select({
        key: KEY,
        id: sessions.id,
        stale: sql<boolean>`${sessions.lastSeenAt} < now() - interval '1 minute'`,
      })
      .from(sessions)
      .innerJoin(apiKeys, eq(apiKeys.id, sessions.keyId))
      .where(and(inArray(sessions.id, hashesOf(byHash)), SESSION_IS_VALID)),
  );
  const found = new Map<string, KeyRow>();
  for (const { id, stale, key } of rows) {
    if (stale) {
      await runQuery(pool, (db) =>
        db.update(sessions).set({ lastSeenAt: sql`now()` }).where(eq(sessions.id, id)),
      );
      await noteUse(pool, key.id);
    }
    found.set(byHash.get(id.toString('hex')) ?? '', key);
  }
  return found;
}

/** The credential of a request: a key's id, or a session's token. */
export interface ShownCredentials {
  keyIds: readonly string[];
  sessions: readonly string[];
}

/** The keys and sessions that are still valid. Does not record a use. */
export async function validCredentials(
  pool: Pool,
  { keyIds, sessions: tokens }: ShownCredentials,
): Promise<Set<string>> {
  const byHash = byHashOf(tokens);
  const rows = await runQuery(pool, (db) =>
    db
      .select({ key: sql<string | null>`${apiKeys.id}::text`, session: sql<Buffer | null>`null::bytea` })
      .from(apiKeys)
      .where(and(inArray(apiKeys.id, [...keyIds]), KEY_IS_VALID))
      .unionAll(
        db
          .select({ key: sql<string | null>`null`, session: sql<Buffer | null>`${sessions.id}` })
          .from(sessions)
          .innerJoin(apiKeys, eq(apiKeys.id, sessions.keyId))
          .where(and(inArray(sessions.id, hashesOf(byHash)), SESSION_IS_VALID)),
      ),
  );
  return new Set(rows.map(({ key, session }) => key ?? byHash.get(session?.toString('hex') ?? '') ?? ''));
}

/** Ends a session. */
export async function endSession(pool: Pool, token: string): Promise<void> {
  await runQuery(pool, (db) => db.delete(sessions).where(eq(sessions.id, hashOfSecret(token))));
}

/** Deletes expired sessions. */
export async function forgetSessions(pool: Pool): Promise<void> {
  await runQuery(pool, (db) => db.delete(sessions).where(lt(sessions.expiresAt, sql`now()`)));
}
