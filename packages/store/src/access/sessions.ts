import { randomBytes } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import { byteaArray } from '@tocsin/postgres';
import { hashOfSecret, KEY_COLUMNS, KEY_IS_VALID, type KeyRow, noteUse } from './keys.js';

const TOKEN_BYTES = 32;

/**
 * Signs somebody in who has shown a key.
 * @returns what the cookie is to hold; the database keeps its hash
 */
export async function beginSession(pool: Pool, keyId: string, seconds: number): Promise<string> {
  const token = randomBytes(TOKEN_BYTES).toString('base64url');
  await pool.query(
    'insert into sessions (id, key_id, expires_at) values ($1, $2, now() + make_interval(secs => $3))',
    [hashOfSecret(token), keyId, seconds],
  );
  return token;
}

const SESSION_IS_VALID = `s.expires_at > now() and ${KEY_IS_VALID}`;

/**
 * Looks sessions up, all in one query, and notes that they and their keys were used.
 * @returns the key that each was begun with, by the session's token; only where session and key are valid
 */
export async function checkSessions(pool: Pool, tokens: readonly string[]): Promise<Map<string, KeyRow>> {
  const byHash = new Map(tokens.map((token) => [hashOfSecret(token).toString('hex'), token]));
  const { rows } = await pool.query<KeyRow & { hash: string; stale: boolean }>(
    `select ${KEY_COLUMNS}, encode(s.id, 'hex') as hash, s.last_seen_at < now() - interval '1 minute' as stale
     from sessions s join api_keys k on k.id = s.key_id
     where s.id = any($1::bytea[]) and ${SESSION_IS_VALID}`,
    [byteaArray([...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')))],
  );
  const found = new Map<string, KeyRow>();
  for (const { hash, stale, ...key } of rows) {
    if (stale) {
      await pool.query('update sessions set last_seen_at = now() where id = $1', [Buffer.from(hash, 'hex')]);
      await noteUse(pool, key.id);
    }
    found.set(byHash.get(hash) ?? '', key);
  }
  return found;
}

/** The credential of a request: a key's id, or a session's token. */
export interface ShownCredentials {
  keyIds: readonly string[];
  sessions: readonly string[];
}

/** Those of the keys and sessions that are still valid. Notes no use. */
export async function validCredentials(
  pool: Pool,
  { keyIds, sessions }: ShownCredentials,
): Promise<Set<string>> {
  const byHash = new Map(sessions.map((token) => [hashOfSecret(token).toString('hex'), token]));
  const { rows } = await pool.query<{ key: string | null; hash: string | null }>(
    `select k.id::text as key, null as hash from api_keys k where k.id = any($1::uuid[]) and ${KEY_IS_VALID}
     union all
     select null, encode(s.id, 'hex') from sessions s join api_keys k on k.id = s.key_id
     where s.id = any($2::bytea[]) and ${SESSION_IS_VALID}`,
    [keyIds, byteaArray([...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')))],
  );
  return new Set(rows.map(({ key, hash }) => key ?? byHash.get(hash ?? '') ?? ''));
}

/** Signs out. */
export async function endSession(pool: Pool, token: string): Promise<void> {
  await pool.query('delete from sessions where id = $1', [hashOfSecret(token)]);
}

/** Deletes those that are over. */
export async function forgetSessions(pool: Pool): Promise<void> {
  await pool.query('delete from sessions where expires_at < now()');
}
