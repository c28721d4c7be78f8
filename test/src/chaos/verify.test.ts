import { createHash } from 'node:crypto';
import { completeParcel, createRun, registerGuard, submitWindow } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { verify } from './verify.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const hashOf = (key: string): Buffer => createHash('sha256').update(key).digest();

/** A run of rows with these outcomes: a score, an error, a reject, or nothing yet. */
async function runOf(rows: Record<string, number | { error: string } | { reject: string } | null>) {
  const { pool } = database;
  const { id: guardId } = await registerGuard(pool, JSON.stringify(rows), 'test');
  const runId = await createRun(pool, guardId, 'test');
  const items = Object.entries(rows).map(([key, outcome], i) => {
    const reject = outcome !== null && typeof outcome === 'object' && 'reject' in outcome ? outcome.reject : null;
    return { seq: i + 1, key, content: reject === null ? hashOf(key) : null, truncated: false, reject };
  });
  const scored = items.filter(({ key }) => rows[key] !== null && items.some((item) => item.key === key && item.content));
  const open = items.filter(({ key }) => rows[key] === null);
  const parcels = [scored, open]
    .filter((contents) => contents.length > 0)
    .map((contents) => ({
      hashes: contents.map(({ key }) => hashOf(key)),
      tokenIds: contents.map(() => Int32Array.of(1)),
    }));
  const counts = { fresh: scored.length + open.length, known: 0, duplicates: 0, rejected: 0 };
  const [parcel = 0] =
    (await submitWindow(pool, { runId, guardId, afterRows: 0, items, parcels, stranded: [], counts })) ?? [];
  await completeParcel(
    pool,
    parcel,
    scored.map(({ key }) => {
      const outcome = rows[key];
      return {
        hash: hashOf(key),
        score: typeof outcome === 'number' ? outcome : null,
        error: typeof outcome === 'object' && outcome !== null && 'error' in outcome ? outcome.error : null,
      };
    }),
  );
  return runId;
}

test('it finds what is lost, different, or left behind, and nothing else', async () => {
  const runId = await runOf({
    same: 0.5,
    other: 0.25,
    open: null,
    poison: { error: 'the engine process died (signal SIGKILL)' },
    failed: { error: 'the engine process died (signal SIGKILL)' },
    '6': { reject: 'f.jsonl, line 6: no row' },
    '7': { reject: 'f.jsonl, line 7: no row' },
  });
  const corpus = { file: '/somewhere/f.jsonl', rows: 8, poisoned: 'poison' };
  const undisturbed = [
    { key: 'same', score: 0.5 + 1e-7 },
    { key: 'other', score: 0.2501 },
    { key: 'open', score: 0.5 },
    { key: 'poison', score: 0.5 },
    { key: 'failed', score: 0.5 },
    { key: 'f.jsonl:6', error: 'f.jsonl, line 6: no row' },
    { key: 'f.jsonl:7', error: 'f.jsonl, line 7: another reason' },
    { key: 'missing', score: 0.5 },
  ];
  const found = await verify(database.pool, [corpus], [runId], undisturbed);
  expect(found).toEqual({
    rows: 8,
    rejected: 1,
    poisoned: 1,
    lost: 2,
    doubled: 0,
    different: [
      'other: 0.25, expected 0.2501',
      'failed: the engine process died (signal SIGKILL), expected 0.5',
      '7: f.jsonl, line 7: no row, expected f.jsonl, line 7: another reason',
    ],
    claims: 1,
    parcelsLeft: 1,
  });
  const twice = await verify(database.pool, [{ ...corpus, rows: 2 }], [await runOf({ a: 0.5, b: 0.5 })], [
    { key: 'a', score: 0.5 },
    { key: 'a', score: 0.5 },
  ]);
  expect(twice).toMatchObject({ lost: 0, different: [] });
});
