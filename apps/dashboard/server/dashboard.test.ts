import { beginSession, checkSessions, createKey } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { pino } from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startPreparer } from './dashboard.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('a server that runs deletes the sessions that have expired, and no other', async () => {
  const { pool } = database;
  const { row: key } = await createKey(pool, { name: 'ann', role: 'read', createdBy: 'test' });
  await beginSession(pool, key.id, -1);
  const live = await beginSession(pool, key.id, 3_600);
  const preparer = startPreparer(pool, pino({ level: 'silent' }), 10);
  try {
    const count = async () =>
      (await pool.query<{ n: number }>('select count(*) as n from sessions')).rows[0]?.n;
    await expect.poll(count).toBe(1);
    expect((await checkSessions(pool, [live])).get(live)).toMatchObject({ id: key.id });
  } finally {
    await preparer.close();
  }
});
