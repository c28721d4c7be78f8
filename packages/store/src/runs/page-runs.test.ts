import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKey } from '../access/index.js';
import { rankRun } from '../ranking/index.js';
import { TestDatabase } from '../testing/index.js';
import { storeScoredRun } from '../testing/scored-run.js';
import { newRun } from '../testing/test-guard.js';
import { findRun, pageRuns } from './page-runs.js';
import { createRun } from './runs.js';
import { cancelRun } from './stop-run.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

test('runs come the newest first, each once, by state, name and owner', async () => {
  const { pool } = database;
  const { row: key } = await createKey(pool, { name: 'bot', role: 'submit', createdBy: 'local' });
  const { guardId } = await newRun(pool);
  const ids: number[] = [];
  for (let n = 0; n < 7; n++) {
    const owned = n % 2 === 0 ? { ownerKey: key.id } : {};
    ids.unshift(await createRun(pool, guardId, n < 3 ? `Night_${n}%.jsonl` : 'day.jsonl', owned));
  }
  await cancelRun(pool, ids[0] ?? 0);

  const found: number[] = [];
  for (let before: number | undefined; ; ) {
    const page = await pageRuns(pool, { limit: 3, before });
    found.push(...page.map(({ id }) => id));
    before = page.at(-1)?.id;
    if (before === undefined) break;
  }
  expect(found.slice(0, 7)).toEqual(ids);
  expect(new Set(found).size).toBe(found.length);

  const of = async (query: object) => (await pageRuns(pool, { limit: 9, ...query })).map(({ id }) => id);
  expect(await of({ states: ['cancelled', 'done'] })).toEqual([ids[0]]);
  expect(await of({ name: 'night_' })).toEqual(ids.slice(4));
  expect(await of({ name: '%.' })).toEqual(ids.slice(4));
  expect(await of({ ownerKey: key.id, name: 'DAY' })).toEqual([ids[0], ids[2]]);
  expect(await findRun(pool, ids[0] ?? 0)).toMatchObject({
    ownerKey: key.id,
    guardId,
    guard: 'test',
    ranked: null,
  });
  expect(await findRun(pool, 4_711)).toBeUndefined();
});

test('a run says what was counted when it was ranked', async () => {
  const { pool } = database;
  const run = await storeScoredRun(pool, [0.1, 0.5, 0.7], { threshold: 0.5 });
  expect(run.ranked).toBeNull();
  const { asOf } = await rankRun(pool, run.id);
  expect((await findRun(pool, run.id))?.ranked).toEqual({
    asOf,
    final: true,
    scored: 3,
    failed: 0,
    flagged: 2,
  });
  const without = await storeScoredRun(pool, [0.1]);
  await rankRun(pool, without.id);
  expect((await findRun(pool, without.id))?.ranked).toMatchObject({ scored: 1, flagged: null });
});
