import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitWindow } from '../parcels/submit-window.js';
import { rankRun } from '../ranking/ranking.js';
import { giveVerdict } from '../reviews/verdicts.js';
import { knownContents } from '../scores/contents.js';
import { anotherRun, hashOf, newRun, parcelOf, scoreParcel, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { cancelRun, finishRun } from './finish-run.js';
import { purgeableRuns, purgeRuns, purgeScores, purgeTexts } from './purge-runs.js';
import { getRun } from './read-runs.js';
import { retryRun } from './retry-run.js';
import { hasUnresolvedItems } from './run-progress.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const knownOf = async (guardId: number, words: string[]): Promise<number> =>
  (await knownContents(database.pool, guardId, words.map(hashOf))).length;

async function count(sql: string, runId: number): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(sql, [runId]);
  return rows[0]?.count ?? Number.NaN;
}

/** A run that is done, with the texts of its rows. */
async function doneRun(
  run: { runId: number; guardId: number },
  words: string[],
  fresh = [...new Set(words)],
): Promise<void> {
  const window = windowOf(run, words, { parcels: fresh.length === 0 ? [] : [parcelOf(...fresh)] });
  window.items = window.items.map((item) => ({ ...item, json: JSON.stringify({ text: item.key }) }));
  const [parcel = 0] = (await submitWindow(database.pool, window)) ?? [];
  await scoreParcel(database.pool, parcel, Object.fromEntries(fresh.map((word) => [word, 0.5])));
  await finishRun(database.pool, run.runId);
}

test('a run is deleted with all that is its own; its scores stay', async () => {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'all' });
  await doneRun(run, ['a', 'bb', 'a']);
  expect(await purgeRuns(pool, [run.runId])).toBe(3);
  await expect(getRun(pool, run.runId)).rejects.toThrow('there is no run');
  for (const table of ['items', 'item_texts', 'parcels']) {
    expect(await count(`select count(*) as count from ${table} where run_id = $1`, run.runId)).toBe(0);
  }
  expect(await knownOf(run.guardId, ['a', 'bb'])).toBe(2);
});

test('scores go too when they are asked for, but not those that another run has', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const other = await anotherRun(pool, run.guardId);
  await doneRun(run, ['a', 'bb', 'ccc']);
  await doneRun(other, ['bb'], []);
  expect(await purgeScores(pool, [run.runId])).toBe(2);
  await purgeRuns(pool, [run.runId]);
  expect(await knownOf(run.guardId, ['a', 'bb', 'ccc'])).toBe(1);
  expect(await getRun(pool, other.runId)).toMatchObject({ scored: 1, left: 0 });
  expect(await purgeScores(pool, [other.runId])).toBe(1);
});

test('of reviews, notes go with the texts that they may quote, verdicts with the last scores of their contents', async () => {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'flagged', threshold: 0.5 });
  const judge = async () => {
    for (const seq of [1, 2]) {
      const given = { seq, reviewer: 'anna', verdict: 'fine' as const, note: 'it says so' };
      await giveVerdict(pool, { id: run.runId, guardId: run.guardId }, given);
    }
  };
  const notes = async () => {
    const { rows } = await pool.query<{ note: string | null }>(
      'select note from verdicts where guard_id = $1 order by seq',
      [run.guardId],
    );
    return rows.map(({ note }) => note);
  };
  const window = windowOf(run, ['a', 'bb']);
  window.items = window.items.map((item) => ({ ...item, json: JSON.stringify({ text: item.key }) }));
  const [parcel = 0] = (await submitWindow(pool, window)) ?? [];
  await scoreParcel(pool, parcel, { a: 0.25, bb: 0.75 });
  await judge();
  await finishRun(pool, run.runId);
  expect(await notes()).toEqual([null, 'it says so']);
  await purgeTexts(pool, [run.runId]);
  expect(await notes()).toEqual([null, null]);

  await rankRun(pool, run.runId);
  await purgeRuns(pool, [run.runId]);
  expect(await notes()).toHaveLength(2);
  for (const table of ['run_rankings', 'ranking_chunks', 'review_leases', 'verdicts']) {
    expect(await count(`select count(*) as count from ${table} where run_id = $1`, run.runId)).toBe(0);
  }
  const again = await anotherRun(pool, run.guardId);
  await doneRun(again, ['a'], []);
  expect(await purgeScores(pool, [again.runId])).toBe(1);
  expect(await notes()).toHaveLength(1);
});

test('of texts, only texts and kept tokens go', async () => {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'all' });
  await doneRun(run, ['a', 'bb']);
  expect(await purgeTexts(pool, [run.runId])).toBe(2);
  expect(await getRun(pool, run.runId)).toMatchObject({ rows: 2, scored: 2 });
});

test('whoever waits for a content of a cancelled parcel that is purged gets an error, and can claim it anew', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  await submitWindow(pool, windowOf(run, ['a']));
  const waiting = await anotherRun(pool, run.guardId);
  await submitWindow(pool, windowOf(waiting, ['a'], { parcels: [] }));
  await cancelRun(pool, run.runId);
  await purgeRuns(pool, [run.runId]);
  expect(await hasUnresolvedItems(pool, waiting.runId)).toBe(false);
  expect(await getRun(pool, waiting.runId)).toMatchObject({ failed: 1, left: 0 });
  expect(await knownOf(run.guardId, ['a'])).toBe(0);
});

test('runs that are over for long enough are found; one that is not over is refused', async () => {
  const { pool } = database;
  const [old, young, open] = [await newRun(pool), await newRun(pool), await newRun(pool)];
  await finishRun(pool, young.runId);
  await cancelRun(pool, old.runId);
  await pool.query(`update runs set finished_at = now() - interval '31 days' where id = $1`, [old.runId]);
  expect(await purgeableRuns(pool, { olderThanDays: 30 })).toEqual([old.runId]);
  expect(await purgeableRuns(pool, { runId: young.runId })).toEqual([young.runId]);
  await expect(purgeableRuns(pool, { runId: open.runId })).rejects.toThrow('is not over');
  await expect(purgeableRuns(pool, { runId: 4711 })).rejects.toThrow('there is no run 4711');
});

/** A cancelled run of two rows, whose parcel somebody else holds: whoever empties it or takes it up has to wait. */
async function heldRun() {
  const { pool } = database;
  const run = await newRun(pool, { retain: 'all' });
  const [parcel = 0] = (await submitWindow(pool, windowOf(run, ['a', 'bb']))) ?? [];
  await cancelRun(pool, run.runId);
  const holder = await pool.connect();
  await holder.query('begin');
  await holder.query('select from parcels where id = $1 for update', [parcel]);
  const letGo = async (): Promise<void> => {
    await holder.query('commit');
    holder.release();
  };
  /** Waits until so many others wait for a lock. */
  const waiting = (others: number) =>
    expect
      .poll(async () => {
        const { rows } = await pool.query<{ count: number }>(
          `select count(*) as count from pg_stat_activity
           where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows[0]?.count;
      })
      .toBe(others);
  return { ...run, parcel, letGo, waiting };
}

test.each([
  ['runs', purgeRuns],
  ['texts', purgeTexts],
  ['scores', purgeScores],
] as const)('a run that is taken up while its %s are to be purged keeps them', async (_what, purge) => {
  const { pool } = database;
  const { runId, parcel, letGo, waiting } = await heldRun();
  const retried = retryRun(pool, runId);
  await waiting(1);
  const purged = purge(pool, [runId]).catch((error: Error) => error.message);
  await waiting(2);
  await letGo();
  expect((await retried).parcels).toEqual([parcel]);
  expect(await purged).toBe(`run ${runId} is not over, its state is scoring`);
  expect(await getRun(pool, runId)).toMatchObject({ state: 'scoring', rows: 2, left: 2, failed: 0 });
  await scoreParcel(pool, parcel, { a: 0.5, bb: 0.5 });
  await finishRun(pool, runId);
  expect(await getRun(pool, runId)).toMatchObject({ scored: 2, left: 0 });
  expect(await purgeScores(pool, [runId])).toBe(2);
});

test('a run that is being deleted is not taken up', async () => {
  const { pool } = database;
  const { runId, letGo, waiting } = await heldRun();
  const purged = purgeRuns(pool, [runId]);
  await waiting(1);
  const retried = retryRun(pool, runId).catch((error: Error) => error.message);
  await waiting(2);
  await letGo();
  expect(await purged).toBe(2);
  expect(await retried).toBe(`there is no run ${runId}`);
});

test('whoever is first has the run, whole, and the other one is told', async () => {
  const { pool } = database;
  const ends = await Promise.all(
    Array.from({ length: 12 }, async () => {
      const run = await newRun(pool);
      await submitWindow(pool, windowOf(run, ['a', 'bb']));
      await cancelRun(pool, run.runId);
      const told = (error: Error) => error.message.replace(String(run.runId), 'N');
      const [retried, purged] = await Promise.all([
        retryRun(pool, run.runId).then(({ parcels }) => parcels.length, told),
        purgeRuns(pool, [run.runId]).catch(told),
      ]);
      const rows = await count('select count(*) as count from items where run_id = $1', run.runId);
      const parcels = await count(
        `select count(*) as count from parcels where run_id = $1 and state = 'waiting'`,
        run.runId,
      );
      return JSON.stringify([retried, purged, rows, parcels]);
    }),
  );
  const ONE_OR_THE_OTHER = [
    [1, 'run N is not over, its state is scoring', 2, 1],
    ['there is no run N', 2, 0, 0],
  ].map((end) => JSON.stringify(end));
  expect(ends.filter((end) => !ONE_OR_THE_OTHER.includes(end))).toEqual([]);
});
