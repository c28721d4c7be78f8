import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitWindow } from '../parcels/submit-window.js';
import { finishRun } from '../runs/finish-run.js';
import { purgeRuns } from '../runs/purge-runs.js';
import { retryRun } from '../runs/retry-run.js';
import { anotherRun, newRun, scoreParcel, storeScoredRun, windowOf } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import {
  eachRanked,
  type RankedRow,
  randomRows,
  rankedRows,
  type ScoreOrder,
  uncertainRows,
} from './ranked-rows.js';
import { CHUNK_ROWS, rankRun } from './ranking.js';
import { countAtLeast, countByScore, previewThreshold } from './score-counts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** As the database has it. */
const real = Math.fround;
/** Few distinct ones, so that there are ties, and any. */
const score = fc.oneof(
  fc.constantFrom(0, 0.1, 0.25, 0.5, 0.9, 1),
  fc.float({ min: 0, max: 1, noNaN: true, noDefaultInfinity: true }),
);
/** As many as make three chunks of their scores, repeated. */
const spread = (scores: number[], rows: number): number[] =>
  Array.from({ length: rows }, (_, i) => scores[i % scores.length] ?? 0);

/** A run of rows with these scores, ranked; with the rows as they are to be in the ranking. */
async function rankedRun(scores: number[]): Promise<{ runId: number; expected: RankedRow[] }> {
  const run = await storeScoredRun(database.pool, scores);
  await rankRun(database.pool, run.id);
  const expected = scores
    .map((value, i) => ({ seq: i + 1, score: real(value) }))
    .sort((a, b) => b.score - a.score || a.seq - b.seq);
  return { runId: run.id, expected };
}

/** Scores come back as the shortest number that means the same to the database. */
const exact = (rows: RankedRow[]): RankedRow[] => rows.map((row) => ({ ...row, score: real(row.score) }));

async function everyPage(
  runId: number,
  page: { order: ScoreOrder; limit: number; min?: number; max?: number },
): Promise<RankedRow[]> {
  const all: RankedRow[] = [];
  for (let after: RankedRow | undefined; ; ) {
    const rows = await rankedRows(database.pool, runId, { ...page, after });
    all.push(...rows);
    after = rows.at(-1);
    if (after === undefined) return exact(all);
  }
}

test('counts, histograms and pages are those of the sorted scores, whatever these are', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(score, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(1, 60, 2 * CHUNK_ROWS + 7),
      fc.array(score, { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 1, max: 2_500 }),
      async (scores, atLeast, thresholds, limit) => {
        const { pool } = database;
        const { runId, expected } = await rankedRun(spread(scores, Math.max(atLeast, scores.length)));
        const flagged = (threshold: number) => expected.filter((row) => row.score >= real(threshold)).length;
        expect(await countAtLeast(pool, runId, thresholds)).toEqual(thresholds.map(flagged));

        const edges = [...new Set([0, ...thresholds.map(real), 1])].sort((a, b) => a - b);
        const counts = edges.slice(1).map((upper, i) => {
          const [lower = 0, last] = [edges[i], i === edges.length - 2];
          return expected.filter(
            (row) => row.score >= lower && (row.score < upper || (last && row.score === upper)),
          ).length;
        });
        expect(await countByScore(pool, runId, edges)).toEqual(counts);

        const [min = 0, max = 1] = [thresholds[0], thresholds[1]];
        const within = expected.filter((row) => row.score >= real(min) && row.score <= real(max));
        // Small pages of many rows would take long, and say no more.
        const size = Math.max(limit, Math.ceil(expected.length / 20));
        expect(await everyPage(runId, { order: 'score_desc', limit: size, min, max })).toEqual(within);
        expect(await everyPage(runId, { order: 'score_asc', limit: size, min, max })).toEqual(
          within.toReversed(),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('rows by uncertainty are all rows once, the nearest to the threshold first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(score, { minLength: 1, maxLength: 40 }),
      score,
      score,
      fc.integer({ min: 1, max: 50 }),
      async (scores, threshold, floor, limit) => {
        const { runId, expected } = await rankedRun(scores);
        const found: RankedRow[] = [];
        for (let after = {}; ; ) {
          const page = await uncertainRows(database.pool, runId, { threshold, floor, limit, after });
          if (page.rows.length === 0) break;
          found.push(...exact(page.rows));
          after = page.next;
        }
        const distances = found.map((row) => Math.abs(row.score - real(threshold)));
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
        expect(found.map(({ seq }) => seq).sort((a, b) => a - b)).toEqual(
          expected
            .filter((row) => row.score >= real(floor))
            .map(({ seq }) => seq)
            .sort((a, b) => a - b),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('a preview says what a move adds or takes away, nearest to the new threshold first', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(score, { minLength: 1, maxLength: 40 }),
      score,
      score,
      async (scores, from, to) => {
        const { runId, expected } = await rankedRun(scores);
        const preview = await previewThreshold(database.pool, runId, { from, to, examples: 3 });
        const isFlagged = (row: RankedRow, threshold: number) => row.score >= real(threshold);
        const moved = expected.filter((row) => isFlagged(row, from) !== isFlagged(row, to));
        expect(preview).toMatchObject({
          before: expected.filter((row) => isFlagged(row, from)).length,
          after: expected.filter((row) => isFlagged(row, to)).length,
          added: to < from ? moved.length : 0,
          removed: to > from ? moved.length : 0,
        });
        expect(exact(preview.examples)).toEqual(
          (real(to) < real(from) ? moved.toReversed() : moved).slice(0, 3),
        );
      },
    ),
    { numRuns: 25 },
  );
});

test('rows at random are some of the highest, none twice, and in the long run all of them', async () => {
  const { runId, expected } = await rankedRun([0.9, 0.1, 0.5, 0.5, 0.7]);
  const seen = new Set<number>();
  for (let draw = 0; draw < 60; draw++) {
    const rows = exact(await randomRows(database.pool, runId, { among: 4, count: 2 }));
    expect(new Set(rows.map(({ seq }) => seq)).size).toBe(2);
    for (const row of rows) {
      expect(expected.slice(0, 4)).toContainEqual(row);
      seen.add(row.seq);
    }
  }
  expect([...seen].sort()).toEqual([1, 3, 4, 5]);
  expect(await randomRows(database.pool, runId, { among: 5, count: 9 })).toHaveLength(5);
});

test('all of a ranking is read in its order', async () => {
  const { runId, expected } = await rankedRun(spread([0.5, 0.25, 1], 25 * CHUNK_ROWS));
  const seqs: number[] = [];
  for await (const chunk of eachRanked(database.pool, runId)) {
    expect(chunk.scores).toHaveLength(chunk.seqs.length);
    seqs.push(...chunk.seqs);
  }
  expect(seqs).toEqual(expected.map(({ seq }) => seq));
});

test('a run that goes on is ranked again, and for the last time when it is over and all is scored', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  const [first = 0] = (await submitWindow(pool, windowOf(run, ['a']))) ?? [];
  const [second = 0] = (await submitWindow(pool, windowOf(run, ['bb', 'ccc'], { afterRows: 1 }))) ?? [];
  await scoreParcel(pool, first, { a: 0.5 });
  const begun = await rankRun(pool, run.runId);
  expect(begun).toMatchObject({ runId: run.runId, final: false, scored: 1, failed: 0 });

  await scoreParcel(pool, second, { bb: 0.25, ccc: 'died' });
  // It has just been ranked.
  expect(await rankRun(pool, run.runId)).toEqual(begun);
  await pool.query(`update run_rankings set built_at = built_at - interval '1 minute' where run_id = $1`, [
    run.runId,
  ]);
  expect(await rankRun(pool, run.runId)).toMatchObject({ final: false, scored: 2, failed: 1 });

  await finishRun(pool, run.runId);
  const over = await rankRun(pool, run.runId);
  expect(over).toMatchObject({ final: false, scored: 2, failed: 1 });
  // Another run may still bring the score that is missing: here it is the same one.
  const [again = 0] = (await retryRun(pool, run.runId)).parcels;
  await scoreParcel(pool, again, { ccc: 0.75 });
  await finishRun(pool, run.runId);
  const last = await rankRun(pool, run.runId);
  expect(last).toMatchObject({ final: true, scored: 3, failed: 0 });
  await pool.query(`update run_rankings set built_at = built_at - interval '1 year' where run_id = $1`, [
    run.runId,
  ]);
  expect(await rankRun(pool, run.runId)).toMatchObject({ final: true, scored: 3 });
});

test('many who look at once get one ranking, whole', async () => {
  const run = await storeScoredRun(database.pool, spread([0.1, 0.9], 3 * CHUNK_ROWS));
  const looks = await Promise.all(Array.from({ length: 12 }, () => rankRun(database.pool, run.id)));
  expect(new Set(looks.map(({ asOf }) => asOf.getTime())).size).toBe(1);
  expect(await countAtLeast(database.pool, run.id, [0, 0.5])).toEqual([3 * CHUNK_ROWS, 1.5 * CHUNK_ROWS]);
});

test('a run without a scored row has an empty ranking; one that is gone has none', async () => {
  const { pool } = database;
  const run = await newRun(pool);
  expect(await rankRun(pool, run.runId)).toMatchObject({ scored: 0, failed: 0 });
  expect(await countAtLeast(pool, run.runId, [0])).toEqual([0]);
  expect(await countByScore(pool, run.runId, [0, 0.5, 1])).toEqual([0, 0]);
  expect(await rankedRows(pool, run.runId, { order: 'score_asc', limit: 5 })).toEqual([]);
  const other = await anotherRun(pool, run.guardId);
  await finishRun(pool, other.runId);
  await rankRun(pool, other.runId);
  await purgeRuns(pool, [other.runId]);
  expect((await pool.query('select from run_rankings where run_id = $1', [other.runId])).rowCount).toBe(0);
  await expect(rankRun(pool, other.runId)).rejects.toThrow('there is no run');
});
