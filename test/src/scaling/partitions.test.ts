import { createHash } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import {
  completeParcel,
  createRun,
  exportRows,
  getRun,
  knownContents,
  leaseParcel,
  migrateSchema,
  purgeRuns,
  purgeScores,
  registerGuard,
  setRunState,
  submitWindow,
} from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PARTITIONS, statementsOf } from '../bench/fleet/partitions.js';

let database: TestDatabase;
let guardId: number;
beforeAll(async () => {
  database = await TestDatabase.migrated();
  guardId = (await registerGuard(database.pool, 'f'.repeat(64), 'test')).id;
});
afterAll(() => database.close());

const hashOf = (word: string): Buffer => createHash('sha256').update(word).digest();

/** A run with these words as contents; new ones are in one parcel. */
async function submit(words: readonly string[]): Promise<{ runId: number; parcels: number[] }> {
  const { pool } = database;
  const runId = await createRun(pool, guardId, 'corpus.jsonl', { threshold: 0.5 });
  const known = new Set(
    (await knownContents(pool, guardId, words.map(hashOf))).map(({ hash }) => hash.toString('hex')),
  );
  const fresh = words.filter((word) => !known.has(hashOf(word).toString('hex')));
  const parcels = await submitWindow(pool, {
    runId,
    guardId,
    afterRows: 0,
    items: words.map((word, i) => ({
      seq: i + 1,
      key: word,
      content: hashOf(word),
      truncated: false,
      reject: null,
      json: JSON.stringify({ text: word }),
    })),
    parcels:
      fresh.length === 0
        ? []
        : [{ hashes: fresh.map(hashOf), tokenIds: fresh.map((word) => Int32Array.of(word.length)) }],
    stranded: [],
    counts: { fresh: fresh.length, known: words.length - fresh.length, duplicates: 0, rejected: 0 },
  });
  await setRunState(pool, runId, 'scoring');
  return { runId, parcels: parcels ?? [] };
}

/** Scores pending contents: a word's score is its length in hundredths. */
async function score(parcels: readonly number[]): Promise<void> {
  for (const id of parcels) {
    const parcel = await leaseParcel(database.pool, id);
    if (parcel === undefined) throw new Error(`parcel ${id} does not wait`);
    const outcomes = parcel.hashes.map((hash, i) => {
      const [tokenIds = new Int32Array()] = parcel.tokenIds.slice(i);
      return { hash, tokens: 1, score: (tokenIds[0] ?? 0) / 100, error: null };
    });
    await completeParcel(database.pool, id, outcomes);
  }
}

async function scoresOf(pool: Pool, runId: number): Promise<Record<string, number | null>> {
  const scores: Record<string, number | null> = {};
  for await (const rows of exportRows(pool, runId)) for (const { key, score } of rows) scores[key] = score;
  return scores;
}

const words = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `${'x'.repeat((from + i) % 90)} ${from + i}`);

test('tables are partitioned as docs/scaling.md says, in mid-work, and all goes on as before', async () => {
  const { pool } = database;
  const before = await submit(words(0, 200));
  await score(before.parcels);
  const early = await scoresOf(pool, before.runId);
  const under = await submit(words(100, 300));

  for (const heading of PARTITIONS) await pool.query(await statementsOf(heading));
  await migrateSchema(pool);

  expect(await scoresOf(pool, before.runId)).toEqual(early);
  await score(under.parcels);
  expect(await getRun(pool, under.runId)).toMatchObject({
    rows: 200,
    fresh: 100,
    known: 100,
    scored: 200,
    left: 0,
  });
  const after = await submit(words(200, 500));
  await score(after.parcels);
  expect(await getRun(pool, after.runId)).toMatchObject({
    rows: 300,
    fresh: 200,
    known: 100,
    scored: 300,
    left: 0,
  });

  const { rows } = await pool.query<{ name: string; rows: number }>(
    `select tableoid::regclass::text as name, count(*) as rows from scores group by 1 having count(*) > 0`,
  );
  expect(rows).toHaveLength(16);
  const { rows: held } = await pool.query<{ name: string }>(
    'select distinct tableoid::regclass::text as name from items where run_id = $1',
    [after.runId],
  );
  expect(held).toEqual([{ name: 'items_next' }]);

  await setRunState(pool, after.runId, 'done');
  await purgeScores(pool, [after.runId]);
  await purgeRuns(pool, [after.runId]);
  expect(await scoresOf(pool, before.runId)).toEqual(early);
  const { rows: left } = await pool.query('select count(*) as count from scores');
  expect(left).toEqual([{ count: 300 }]);
});
