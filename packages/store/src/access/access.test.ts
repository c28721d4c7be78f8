import type { Pool } from '@tocsin/postgres';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestDatabase } from '../testing/index.js';
import { audit, listAudit } from './audit.js';
import { anyKey, checkKeys, createKey, listKeys, revokeKey } from './keys.js';
import { beginSession, checkSessions, endSession, forgetSessions, validCredentials } from './sessions.js';

const checkKey = async (pool: Pool, key: string) => (await checkKeys(pool, [key])).get(key);
const checkSession = async (pool: Pool, token: string) => (await checkSessions(pool, [token])).get(token);

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());
beforeEach(() => database.pool.query('truncate api_keys, sessions, audit_log restart identity cascade'));

const newKey = (name = 'night desk') =>
  createKey(database.pool, { name, role: 'review', createdBy: 'local' });

test('a key is told once; what the database has of it is a hash and how it begins', async () => {
  const { pool } = database;
  expect(await anyKey(pool)).toBe(false);
  const { key, row } = await newKey();
  expect(key).toMatch(/^tcs_[\w-]{43}$/);
  expect(row).toMatchObject({
    name: 'night desk',
    role: 'review',
    prefix: key.slice(0, 12),
    createdBy: 'local',
  });
  expect(await anyKey(pool)).toBe(true);
  const { rows } = await pool.query('select api_keys::text as all from api_keys');
  expect(JSON.stringify(rows)).not.toContain(key.slice(12));
});

test('a key that was made is known, with its use; another is not, nor one that is revoked or has expired', async () => {
  const { pool } = database;
  const { key, row } = await newKey();
  expect(row.lastUsedAt).toBeNull();
  expect(await checkKey(pool, key)).toMatchObject({ id: row.id, role: 'review' });
  expect((await listKeys(pool))[0]?.lastUsedAt).toBeInstanceOf(Date);
  for (const wrong of ['', 'tcs_', `${key}x`, key.slice(0, -1), key.toUpperCase(), row.prefix, row.id]) {
    expect(await checkKey(pool, wrong)).toBeUndefined();
  }
  const past = await createKey(pool, {
    name: 'old',
    role: 'admin',
    createdBy: 'local',
    expiresAt: new Date(Date.now() - 1_000),
  });
  expect(await checkKey(pool, past.key)).toBeUndefined();
  const revoked = await revokeKey(pool, row.id);
  expect(revoked?.revokedAt).toBeInstanceOf(Date);
  expect(await revokeKey(pool, row.prefix)).toEqual(revoked);
  expect(await checkKey(pool, key)).toBeUndefined();
  expect(await revokeKey(pool, 'tcs_nobody')).toBeUndefined();
  // Where there was a key, a key is needed.
  expect(await anyKey(pool)).toBe(true);
});

test('a session is its key, until it is over, ended, or the key is worthless', async () => {
  const { pool } = database;
  const { row } = await newKey();
  const [first, second, third] = [
    await beginSession(pool, row.id, 60),
    await beginSession(pool, row.id, 60),
    await beginSession(pool, row.id, -1),
  ];
  expect(await checkSession(pool, first)).toMatchObject({ id: row.id, name: 'night desk', role: 'review' });
  expect(await checkSession(pool, third)).toBeUndefined();
  expect(await checkSession(pool, 'made up')).toBeUndefined();
  await forgetSessions(pool);
  expect((await pool.query('select from sessions')).rowCount).toBe(2);
  await endSession(pool, first);
  expect(await checkSession(pool, first)).toBeUndefined();
  expect(await checkSession(pool, second)).toBeDefined();
  await revokeKey(pool, row.id);
  expect(await checkSession(pool, second)).toBeUndefined();
});

test('a session that is seen again after a minute says so, and that its key is in use', async () => {
  const { pool } = database;
  const { row } = await newKey();
  const token = await beginSession(pool, row.id, 3_600);
  await pool.query(`update sessions set last_seen_at = now() - interval '2 minutes'`);
  await checkSession(pool, token);
  const { rows } = await pool.query(
    `select s.last_seen_at > now() - interval '1 minute' as seen, k.last_used_at is not null as used
     from sessions s join api_keys k on k.id = s.key_id`,
  );
  expect(rows).toEqual([{ seen: true, used: true }]);
});

test('the audit log is read from its end, a page at a time, by who, what and which run', async () => {
  const { pool } = database;
  const { row } = await newKey();
  for (let n = 1; n <= 5; n++) {
    await audit(pool, { keyId: null, who: 'local', action: 'text.read', subject: 'run 7', runId: 7, seq: n });
  }
  await audit(pool, {
    keyId: row.id,
    who: row.name,
    action: 'policy.change',
    subject: 'strict',
    details: { from: 0.1, to: 0.2 },
  });
  const [newest] = await listAudit(pool, { limit: 1 });
  expect(newest).toMatchObject({
    keyId: row.id,
    who: 'night desk',
    runId: null,
    seq: null,
    details: { from: 0.1, to: 0.2 },
  });
  const page = await listAudit(pool, { limit: 3, before: newest?.id });
  expect(page.map(({ seq }) => seq)).toEqual([5, 4, 3]);
  expect(await listAudit(pool, { limit: 9, runId: 7, before: page.at(-1)?.id })).toHaveLength(2);
  expect(await listAudit(pool, { limit: 9, who: 'night desk' })).toEqual([newest]);
  expect(await listAudit(pool, { limit: 9, action: 'text.read' })).toHaveLength(5);
  expect(await listAudit(pool, { limit: 9, runId: 8 })).toEqual([]);
});

test('many keys and sessions are looked up at once; which of them still let somebody in', async () => {
  const { pool } = database;
  const [first, second] = [await newKey('first'), await newKey('second')];
  const token = await beginSession(pool, second.row.id, 60);
  const over = await beginSession(pool, first.row.id, -1);
  const found = await checkKeys(pool, [first.key, 'tcs_none', second.key]);
  expect([...found.values()].map(({ name }) => name).sort()).toEqual(['first', 'second']);
  const shown = { keyIds: [first.row.id, second.row.id], sessions: [token, over] };
  expect(await validCredentials(pool, shown)).toEqual(new Set([first.row.id, second.row.id, token]));
  await revokeKey(pool, second.row.id);
  expect(await validCredentials(pool, shown)).toEqual(new Set([first.row.id]));
  expect(await validCredentials(pool, { keyIds: [], sessions: [] })).toEqual(new Set());
});
