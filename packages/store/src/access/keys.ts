import { createHash, randomBytes } from 'node:crypto';
import type { Role } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { byteaArray } from '@tocsin/postgres';

/** Every key begins with this, so that one that has leaked is found by those who search for such. */
export const KEY_MARK = 'tcs_';
const KEY_BYTES = 32;
/** So much of a key is shown. */
const PREFIX_LETTERS = 12;

export interface KeyRow {
  /** uuid */
  id: string;
  /** What people call it; two keys may have one name. */
  name: string;
  /** The first 12 characters. */
  prefix: string;
  role: Role;
  createdAt: Date;
  createdBy: string;
  /** Null for never. */
  expiresAt: Date | null;
  revokedAt: Date | null;
  /** To the minute. */
  lastUsedAt: Date | null;
}

export interface NewKey {
  name: string;
  role: Role;
  expiresAt?: Date;
  createdBy: string;
}

export const KEY_COLUMNS = `k.id, k.name, k.prefix, k.role, k.created_at as "createdAt", k.created_by as "createdBy",
  k.expires_at as "expiresAt", k.revoked_at as "revokedAt", k.last_used_at as "lastUsedAt"`;
export const KEY_IS_VALID = '(k.revoked_at is null and (k.expires_at is null or k.expires_at > now()))';

/**
 * Makes a key. The database keeps its hash: it cannot be told again. 256 random bits need no slow hash, and a look-up by
 * the hash of what was given tells nothing by the time that it takes.
 */
export async function createKey(pool: Pool, newKey: NewKey): Promise<{ key: string; row: KeyRow }> {
  const key = KEY_MARK + randomBytes(KEY_BYTES).toString('base64url');
  const { rows } = await pool.query<KeyRow>(
    `insert into api_keys as k (name, prefix, hash, role, expires_at, created_by)
     values ($1, $2, $3, $4, $5, $6) returning ${KEY_COLUMNS}`,
    [
      newKey.name,
      key.slice(0, PREFIX_LETTERS),
      hashOfSecret(key),
      newKey.role,
      newKey.expiresAt ?? null,
      newKey.createdBy,
    ],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('the insert returned no row');
  return { key, row };
}

/**
 * Looks keys up, all in one query, and notes that they were used.
 * @returns the rows of those that exist and are neither revoked nor expired, by the key
 */
export async function checkKeys(pool: Pool, keys: readonly string[]): Promise<Map<string, KeyRow>> {
  const byHash = new Map(keys.map((key) => [hashOfSecret(key).toString('hex'), key]));
  const { rows } = await pool.query<KeyRow & { hash: string; unnoted: boolean }>(
    `select ${KEY_COLUMNS}, encode(k.hash, 'hex') as hash, ${USE_IS_UNNOTED} as unnoted
     from api_keys k where k.hash = any($1::bytea[]) and ${KEY_IS_VALID}`,
    [byteaArray([...byHash.keys()].map((hash) => Buffer.from(hash, 'hex')))],
  );
  const found = new Map<string, KeyRow>();
  for (const { hash, unnoted, ...row } of rows) {
    if (unnoted) await noteUse(pool, row.id);
    found.set(byHash.get(hash) ?? '', row);
  }
  return found;
}

/** Not at every request: a row that is written so often is waited for. */
const USE_IS_UNNOTED = `(k.last_used_at is null or k.last_used_at < now() - interval '1 minute')`;

export async function noteUse(pool: Pool, keyId: string): Promise<void> {
  await pool.query(`update api_keys k set last_used_at = now() where k.id = $1 and ${USE_IS_UNNOTED}`, [
    keyId,
  ]);
}

/** Whether there ever was a key: from then on every request needs one, even when all of them are revoked. */
export async function anyKey(pool: Pool): Promise<boolean> {
  const { rows } = await pool.query<{ any: boolean }>('select exists (select from api_keys) as any');
  return rows[0]?.any === true;
}

/** All of them, the newest first: those that are revoked or expired, too. */
export async function listKeys(pool: Pool): Promise<KeyRow[]> {
  const { rows } = await pool.query<KeyRow>(
    `select ${KEY_COLUMNS} from api_keys k order by k.created_at desc, k.id`,
  );
  return rows;
}

/**
 * Makes a key worthless, and ends the sessions that were begun with it. One that is revoked stays as it was.
 * @param which its id, or its prefix as it is shown
 * @returns undefined when there is no such key
 */
export async function revokeKey(pool: Pool, which: string): Promise<KeyRow | undefined> {
  const { rows } = await pool.query<KeyRow>(
    `with ended as (
       delete from sessions s using api_keys k where k.id = s.key_id and (k.id::text = $1 or k.prefix = $1)
     )
     update api_keys k set revoked_at = coalesce(revoked_at, now())
     where k.id::text = $1 or k.prefix = $1 returning ${KEY_COLUMNS}`,
    [which],
  );
  return rows[0];
}

/** What the database keeps of a secret that somebody shows to get in. */
export const hashOfSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest();
