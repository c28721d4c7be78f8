import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { completeParcel, createRun, registerGuard, submitWindow } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { readPasses, verify } from './verify.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

interface TestRow {
  key: string;
  score?: number;
  error?: string;
  reject?: string;
}

/** A run of rows with these outcomes; rows without one are pending. */
async function runOf(rows: TestRow[]): Promise<number> {
  const { pool } = database;
  const { id: guardId } = await registerGuard(pool, JSON.stringify(rows), 'test');
  const runId = await createRun(pool, guardId, 'test');
  const contents = rows.map((row, i) => ({
    ...row,
    content: row.reject === undefined ? createHash('sha256').update(`${row.key} ${i}`).digest() : null,
  }));
  const items = contents.map(({ key, content, reject = null }, i) => ({
    seq: i + 1,
    key,
    content,
    truncated: false,
    reject,
  }));
  const outcomes = contents.flatMap(({ content, score = null, error = null }) =>
    content === null ? [] : [{ hash: content, tokens: 1, score, error }],
  );
  const isOver = ({ score, error }: { score: number | null; error: string | null }): boolean =>
    score !== null || error !== null;
  const parcels = [outcomes.filter(isOver), outcomes.filter((outcome) => !isOver(outcome))]
    .filter((parcel) => parcel.length > 0)
    .map((parcel) => ({
      hashes: parcel.map(({ hash }) => hash),
      tokenIds: parcel.map(() => Int32Array.of(1)),
    }));
  const counts = { fresh: outcomes.length, known: 0, duplicates: 0, rejected: 0 };
  const [over = 0] =
    (await submitWindow(pool, { runId, guardId, afterRows: 0, items, parcels, stranded: [], counts })) ?? [];
  await completeParcel(pool, over, outcomes.filter(isOver));
  return runId;
}

test('it finds what is lost, doubled, different, or left behind, and nothing else', async () => {
  const died = 'the engine process died (signal SIGKILL)';
  const runId = await runOf([
    { key: 'same', score: 0.5 },
    { key: 'other', score: 0.25 },
    { key: 'open' },
    { key: 'poison', error: died },
    { key: 'failed', error: died },
    { key: 'twice', score: 0.5 },
    { key: 'twice', score: 0.5 },
    { key: 'line:6', reject: 'f.jsonl, line 6: no row' },
    { key: 'line:7', reject: 'f.jsonl, line 7: no row' },
  ]);
  const undisturbed = [
    { key: 'same', score: 0.5 + 1e-7 },
    { key: 'other', score: 0.2501 },
    { key: 'open', score: 0.5 },
    { key: 'poison', score: 0.5 },
    { key: 'failed', score: 0.5 },
    { key: 'twice', score: 0.5 },
    { key: 'f.jsonl:line:6', error: 'f.jsonl, line 6: no row' },
    { key: 'f.jsonl:line:7', error: 'f.jsonl, line 7: another reason' },
    { key: 'missing', score: 0.5 },
  ];
  const corpus = { file: '/somewhere/f.jsonl', rows: undisturbed.length, poisoned: 'poison' };
  expect(await verify(database.pool, [corpus], [runId], undisturbed)).toEqual({
    rows: undisturbed.length,
    rejected: 1,
    poisoned: 1,
    lost: 2,
    doubled: 1,
    different: [
      'other: 0.25, expected 0.2501',
      `failed: ${died}, expected 0.5`,
      'line:7: f.jsonl, line 7: no row, expected f.jsonl, line 7: another reason',
    ],
    claims: 1,
    parcelsLeft: 1,
  });
});

test('passes over what had a score are re-run; what measures costs, and half a line, do not count', async () => {
  const dir = scratchDir();
  await writeFile(join(dir, 'passes-1'), 'a b\nprobe\nc\na');
  await writeFile(join(dir, 'passes-2'), 'b probe\nc d\n');
  expect(await readPasses(dir, new Set(['a', 'b', 'c', 'd']))).toEqual({
    passes: 4,
    rerun: 1,
    scored: 6,
    scoredAgain: 2,
  });
});
