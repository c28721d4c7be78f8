import { createPool } from '@tocsin/postgres';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { rankRun } from '../ranking/ranking.js';
import { purgeTexts } from '../runs/purge-runs.js';
import { findRun, type Run } from '../runs/read-runs.js';
import { storeScoredRun } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import { nextReview, type ReviewQuery } from './next-review.js';
import { releaseReviews } from './review-leases.js';
import { giveVerdict, judgedContents, reviewerCounts, undoVerdict } from './verdicts.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

const textsOf = (scores: number[]) => scores.map((_, i) => `row ${i + 1}`);
async function reviewedRun(
  scores: number[],
  options: Parameters<typeof storeScoredRun>[2] = {},
): Promise<Run> {
  const run = await storeScoredRun(database.pool, scores, {
    retain: 'all',
    texts: textsOf(scores),
    ...options,
  });
  await rankRun(database.pool, run.id);
  return run;
}

const query = (reviewer: string, changes: Partial<ReviewQuery> = {}): ReviewQuery => ({
  reviewer,
  order: 'score',
  threshold: 0.5,
  ...changes,
});

/** Takes rows and judges them until there are none left. */
async function judgeAll(
  run: Run,
  asked: ReviewQuery,
  verdict: 'harmful' | 'fine' | 'skip' = 'fine',
): Promise<number[]> {
  const seqs: number[] = [];
  for (;;) {
    const next = await nextReview(database.pool, run, asked);
    if (next === undefined) return seqs;
    seqs.push(next.seq);
    await giveVerdict(database.pool, run, { seq: next.seq, reviewer: asked.reviewer, verdict });
  }
}

/** As if the time of every lease of a run were over. */
const timeOut = (run: Run) =>
  database.pool.query('update review_leases set until = now() where run_id = $1', [run.id]);

test('rows come by score, by uncertainty or at random, and each once', async () => {
  const scores = [0.9, 0.1, 0.55, 0.4, 0.7];
  expect(await judgeAll(await reviewedRun(scores), query('anna'))).toEqual([1, 5, 3, 4, 2]);
  const uncertain = query('anna', { order: 'uncertain' });
  expect(await judgeAll(await reviewedRun(scores), uncertain)).toEqual([3, 4, 5, 1, 2]);
  const random = await judgeAll(await reviewedRun(scores), query('anna', { order: 'random' }));
  expect(random.toSorted()).toEqual([1, 2, 3, 4, 5]);
});

test('a reviewer has a row until it is judged or released; nobody else gets it', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.8, 0.7]);
  const first = await nextReview(pool, run, query('anna'));
  expect(first?.seq).toBe(1);
  expect((first?.until.getTime() ?? 0) - Date.now()).toBeGreaterThan(500_000);
  expect((await nextReview(pool, run, query('anna')))?.seq).toBe(1);
  expect((await nextReview(pool, run, query('ben')))?.seq).toBe(2);
  await expect(giveVerdict(pool, run, { seq: 1, reviewer: 'ben', verdict: 'fine' })).rejects.toThrow(
    'row 1 is with another reviewer',
  );
  await releaseReviews(pool, run.id, 'anna');
  expect((await nextReview(pool, run, query('carol')))?.seq).toBe(1);
});

test('a lease that has run out goes to whoever asks; the one before may still judge as long as nobody has', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.8]);
  await nextReview(pool, run, query('anna'));
  await timeOut(run);
  expect(await giveVerdict(pool, run, { seq: 1, reviewer: 'anna', verdict: 'harmful' })).toMatchObject({
    seq: 1,
    verdict: 'harmful',
    note: null,
  });
  expect((await nextReview(pool, run, query('ben')))?.seq).toBe(2);
  await timeOut(run);
  expect((await nextReview(pool, run, query('anna')))?.seq).toBe(2);
  await expect(giveVerdict(pool, run, { seq: 2, reviewer: 'ben', verdict: 'fine' })).rejects.toThrow(
    'another',
  );
});

test('many reviewers at once, on connections of their own, never have the same content, and judge each once', async () => {
  const { pool } = database;
  const scores = Array.from({ length: 90 }, (_, i) => (i % 10) / 10);
  // Every third row repeats the one before it.
  const contents = scores.map((_, i) => `c${i - (i % 3 === 2 ? 1 : 0)}`);
  const run = await reviewedRun(scores, { contents });
  const held = new Set<string>();
  const judged: string[] = [];
  const reviewers = Array.from({ length: 16 }, async (_, n) => {
    const own = createPool(database.url, { applicationName: 'tocsin test', max: 1 });
    const order = (['score', 'uncertain', 'random'] as const)[n % 3] ?? 'score';
    for (;;) {
      const next = await nextReview(own, run, query(`r${n}`, { order }));
      if (next === undefined) break;
      const content = contents[next.seq - 1] ?? '';
      expect(held).not.toContain(content);
      held.add(content);
      await own.query('select pg_sleep(0.005)');
      held.delete(content);
      await giveVerdict(own, run, { seq: next.seq, reviewer: `r${n}`, verdict: 'fine' });
      judged.push(content);
    }
    await own.end();
  });
  await Promise.all(reviewers);
  expect(judged.toSorted()).toEqual([...new Set(contents)].sort());
  expect((await pool.query('select from review_leases where run_id = $1', [run.id])).rowCount).toBe(0);
});

test('a second look is at what one other has judged', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.8, 0.7, 0.6]);
  for (const seq of [1, 2, 3]) {
    await giveVerdict(pool, run, { seq, reviewer: 'anna', verdict: seq === 3 ? 'skip' : 'harmful' });
  }
  const second = { second: true };
  expect(await nextReview(pool, run, query('anna', second))).toBeUndefined();
  expect(await judgeAll(run, query('ben', second))).toEqual([1, 2]);
  expect(await judgeAll(run, query('carol', second))).toEqual([]);
  // What only was skipped is still to be judged, by anybody else.
  expect(await judgeAll(run, query('carol'))).toEqual([3, 4]);
  expect(await judgeAll(run, query('anna', { ...second, order: 'uncertain' }))).toEqual([4]);
});

test('a skipped row does not come back to who skipped it, but goes to others', async () => {
  const run = await reviewedRun([0.9, 0.8]);
  expect(await judgeAll(run, query('anna'), 'skip')).toEqual([1, 2]);
  expect(await judgeAll(run, query('ben'))).toEqual([1, 2]);
});

test('verdicts are taken back one by one, the last first, and the row is free again', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.8]);
  await judgeAll(run, query('anna'), 'harmful');
  expect(await reviewerCounts(pool, run.id)).toEqual([{ reviewer: 'anna', harmful: 2, fine: 0, skip: 0 }]);
  expect(await undoVerdict(pool, run.id, 'ben')).toBeUndefined();
  expect(await undoVerdict(pool, run.id, 'anna')).toMatchObject({ seq: 2, verdict: 'harmful' });
  expect(await undoVerdict(pool, run.id, 'anna')).toMatchObject({ seq: 1 });
  expect(await undoVerdict(pool, run.id, 'anna')).toBeUndefined();
  expect(await reviewerCounts(pool, run.id)).toEqual([]);
  expect(await judgeAll(run, query('ben'))).toEqual([1, 2]);
});

test('a verdict replaces the same reviewer’s; a row without a score takes none', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9]);
  await giveVerdict(pool, run, { seq: 1, reviewer: 'anna', verdict: 'fine', note: 'a joke' });
  await giveVerdict(pool, run, { seq: 1, reviewer: 'anna', verdict: 'harmful' });
  expect(await reviewerCounts(pool, run.id)).toEqual([{ reviewer: 'anna', harmful: 1, fine: 0, skip: 0 }]);
  expect(await giveVerdict(pool, run, { seq: 2, reviewer: 'anna', verdict: 'fine' })).toBeUndefined();
});

test('a content that was judged in one run is judged in every run that has it', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.9, 0.4, 0.2], { contents: ['a', 'a', 'b', 'c'] });
  await giveVerdict(pool, run, { seq: 2, reviewer: 'anna', verdict: 'harmful' });
  await giveVerdict(pool, run, { seq: 1, reviewer: 'ben', verdict: 'fine' });
  await giveVerdict(pool, run, { seq: 3, reviewer: 'ben', verdict: 'skip' });
  const both = [
    { reviewer: 'anna', verdict: 'harmful' },
    { reviewer: 'ben', verdict: 'fine' },
  ];
  expect(await judgedContents(pool, run)).toEqual([
    { seq: 1, key: 'r1', score: 0.9, rows: 2, verdicts: both },
  ]);
  const { rows } = await pool.query<{ id: number }>(
    `insert into runs (guard_id, name, state, rows) values ($1, 'again', 'done', 2) returning id`,
    [run.guardId],
  );
  const again = await findRun(pool, rows[0]?.id ?? 0);
  if (again === undefined) throw new Error('the run is gone');
  await pool.query(
    `insert into items (run_id, seq, key, content) select $2::bigint, seq - 2, key, content from items where run_id = $1 and seq > 2
     union all select $2::bigint, 9, 'x', content from items where run_id = $1 and seq = 1`,
    [run.id, again.id],
  );
  expect(await judgedContents(pool, again)).toEqual([
    { seq: 9, key: 'x', score: 0.9, rows: 1, verdicts: both },
  ]);
});

test('rows without a text are not reviewed', async () => {
  const { pool } = database;
  const run = await reviewedRun([0.9, 0.8, 0.2], { retain: 'flagged', threshold: 0.5 });
  await pool.query('delete from item_texts where run_id = $1 and seq in (1, 3)', [run.id]);
  expect(await judgeAll(run, query('anna', { order: 'uncertain' }))).toEqual([2]);
  await undoVerdict(pool, run.id, 'anna');
  await purgeTexts(pool, [run.id]);
  expect(await nextReview(pool, run, query('anna'))).toBeUndefined();
});

test('what many have judged is passed over, whatever the order', async () => {
  const { pool } = database;
  const scores = Array.from({ length: 3_000 }, (_, i) => 1 - i / 3_000);
  const run = await reviewedRun(scores);
  await pool.query(
    `insert into verdicts (guard_id, content, run_id, seq, score, reviewer, verdict)
     select $2, content, run_id, seq, 0.5, 'anna', 'fine' from items where run_id = $1 and seq <> 2900`,
    [run.id, run.guardId],
  );
  for (const order of ['score', 'uncertain', 'random'] as const) {
    expect((await nextReview(pool, run, query('ben', { order })))?.seq).toBe(2_900);
    await releaseReviews(pool, run.id, 'ben');
  }
});
