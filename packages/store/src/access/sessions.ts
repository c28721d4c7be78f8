import { randomBytes } from 'node:crypto';
import type { Pool } from '../connect.js';
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

/** The key that a session was begun with, as long as the session and the key are valid; notes that both were used. */
export async function checkSession(pool: Pool, token: string): Promise<KeyRow | undefined> {
  const { rows } = await pool.query<KeyRow & { stale: boolean }>(
    `select ${KEY_COLUMNS}, s.last_seen_at < now() - interval '1 minute' as stale
     from sessions s join api_keys k on k.id = s.key_id
     where s.id = $1 and s.expires_at > now() and ${KEY_IS_VALID}`,
    [hashOfSecret(token)],
  );
  const [found] = rows;
  if (found === undefined) return undefined;
  const { stale, ...key } = found;
  if (stale) {
    await pool.query('update sessions set last_seen_at = now() where id = $1', [hashOfSecret(token)]);
    await noteUse(pool, key.id);
  }
  return key;
}

/** Signs out. */
export async function endSession(pool: Pool, token: string): Promise<void> {
  await pool.query('delete from sessions where id = $1', [hashOfSecret(token)]);
}

/** Deletes those that are over. */
export async function forgetSessions(pool: Pool): Promise<void> {
  await pool.query('delete from sessions where expires_at < now()');
}
