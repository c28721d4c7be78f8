import { afterAll, beforeAll, expect, test } from 'vitest';
import { newRun, storeScoredRun } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { prepareRuns } from './prepare-runs.js';
import { findRun } from './read-runs.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const searchable = async (runId: number): Promise<number> =>
  (await database.pool.query('select from item_texts where run_id = $1 and search is not null', [runId]))
    .rowCount ?? 0;

test('runs that have ended of late are ranked and searchable; others are left alone', async () => {
  const { pool } = database;
  const run = await storeScoredRun(pool, [0.2, 0.6], { texts: ['a', 'b'], threshold: 0.5 });
  const old = await storeScoredRun(pool, [0.2], { texts: ['c'] });
  await pool.query(`update runs set finished_at = now() - interval '8 days' where id = $1`, [old.id]);
  const going = await newRun(pool);
  await Promise.all([prepareRuns(pool), prepareRuns(pool), prepareRuns(pool)]);

  expect(await findRun(pool, run.id)).toMatchObject({
    final: true,
    scored: 2,
    failed: 0,
    flagged: 1,
  });
  expect(await searchable(run.id)).toBe(2);
  for (const id of [old.id, going.runId]) expect(await findRun(pool, id)).toMatchObject({ countedAt: null });
  expect(await searchable(old.id)).toBe(0);

  const { rows: before } = await pool.query('select built_at from run_rankings');
  await prepareRuns(pool);
  expect((await pool.query('select built_at from run_rankings')).rows).toEqual(before);
  const { rows: locks } = await pool.query(
    `select from pg_locks join pg_database on pg_database.oid = database
     where locktype = 'advisory' and datname = current_database()`,
  );
  expect(locks).toEqual([]);
});
