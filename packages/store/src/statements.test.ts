import { createHash, randomUUID } from 'node:crypto';
import { createPool, type Pool } from '@tocsin/postgres';
import { describe, expect, test } from 'vitest';
import * as everything from './index.js';
import { anotherRun, newRun } from './testing/fixtures.js';
import { TestDatabase } from './testing/index.js';
import { type PlanWork, watchedPool } from './testing/plan-work.js';

const SMALL = 400;
const LARGE = 3_200;
/** What a statement does for few rows may be lost in what it does once. */
const FLOOR = 100;
/** Twice what would be linear, and more: four times the size is sixteen times the work of a quadratic plan. */
const SLACK = 3;
const PARCEL = 100;
const HOUR_MS = 3_600_000;

/** What asks nothing of the store's tables, or one row by its key. */
const ELSEWHERE = new Set([
  ...['ExpressListener', 'FileWriter', 'Leadership', 'createPool', 'cancelWhenInterrupted', 'defaultDataDir'],
  ...['findBinaries', 'isTransient', 'startEmbedded', 'migrateSchema', 'schemaState', 'requireConnection'],
  ...['withRetry', 'plainText', 'isCut', 'noSuchRun', 'runSources', 'noSuchSchedule', 'runHasEnded'],
  ...['installationId', 'registerGuard', 'createRun', 'beginFile', 'completeFile', 'readFileChunks'],
]);

const used = new Set<string>();
/** The store, which notes what of it is called. */
const store = new Proxy(everything, {
  get: (target, name) => {
    used.add(String(name));
    return Reflect.get(target, name) as unknown;
  },
});

const hashOf = (word: string): Buffer => createHash('sha256').update(word).digest();
const tokensOf = (word: string): Int32Array => Int32Array.of(word.length, 7, 7);
const scoreOf = (n: number): number => (n % 97) / 97;

async function all<T>(pages: AsyncIterable<T>): Promise<void> {
  for await (const _ of pages);
}

/** Submits a run of `size` rows, ten of which are rejects; each content is new. @returns its parcels */
async function submit(pool: Pool, run: { runId: number; guardId: number }, size: number): Promise<number[]> {
  const words = Array.from({ length: size - 10 }, (_, i) => `${run.runId} ${i}`);
  const hashes = words.map(hashOf);
  expect(await store.knownContents(pool, run.guardId, hashes)).toHaveLength(0);
  const items = Array.from({ length: size }, (_, i) => ({
    seq: i + 1,
    key: `row ${i}`,
    content: hashes[i] ?? null,
    truncated: false,
    reject: i < words.length ? null : `rows.jsonl, line ${i + 1}: The line is not JSON.`,
    json: i < words.length ? JSON.stringify({ text: `word${i} common` }) : undefined,
  }));
  const parcels: everything.NewParcel[] = [];
  for (let at = 0; at < words.length; at += PARCEL) {
    const cut = words.slice(at, at + PARCEL);
    parcels.push({ hashes: cut.map(hashOf), tokenIds: cut.map(tokensOf) });
  }
  const counts = { fresh: words.length, known: 0, duplicates: 0, rejected: 10 };
  const window = { ...run, afterRows: 0, items, parcels, stranded: [], counts };
  return (await store.submitWindow(pool, window)) ?? [];
}

/** Every third content of these parcels ends in an error when `failing`. */
async function score(pool: Pool, parcels: readonly number[], failing: boolean): Promise<void> {
  for (const id of parcels) {
    const leased = await store.leaseParcel(pool, id);
    if (leased === undefined) throw new Error(`parcel ${id} does not wait`);
    const outcomes = leased.hashes.map((hash, i) =>
      failing && i % 3 === 0
        ? { hash, tokens: 3, score: null, error: 'the engine died', tokenIds: leased.tokenIds[i] }
        : { hash, tokens: 3, score: scoreOf(i), error: null },
    );
    await store.completeParcel(pool, id, outcomes);
  }
}

/** All that happens to runs of `size` rows, from the first window to the purge. */
async function live(pool: Pool, size: number): Promise<void> {
  const run = await newRun(pool, { threshold: 0.5, retain: 'flagged' });
  const { runId, guardId } = run;
  const parcels = await submit(pool, run, size);
  await store.attendRun(pool, runId);
  await store.runProgress(pool, runId);
  await store.runHead(pool, runId);
  await store.setRunState(pool, runId, 'scoring');
  await store.noteRun(pool, runId, ['the delimiter was guessed']);
  await store.runNotes(pool, runId);
  await store.runSources(pool, runId);
  await store.waitingParcels(pool, guardId, 1_000);
  await store.waitingByClass(pool, guardId);
  await store.waitingGuards(pool);
  await store.guardQueue(pool, guardId);
  const [first = 0, ...rest] = parcels;
  await store.countLostLease(pool, first);
  await store.recordAttempt(pool, { id: first, lostLeases: 1 });
  await store.forgiveAttempt(pool, { id: first, lostLeases: 1 });
  await score(pool, [...(await store.splitParcel(pool, first)), ...rest], true);
  await store.hasUnresolvedItems(pool, runId);
  await store.adoptParcels(pool, runId);
  await store.leaveRun(pool, runId);
  await store.settledRuns(pool, guardId);
  await store.rankRun(pool, runId);
  await store.finishRun(pool, runId);
  await all(store.exportRows(pool, runId, undefined, { texts: true }));
  await store.prepareRuns(pool);
  await look(pool, runId);
  await review(pool, runId);
  const retried = await store.retryRun(pool, runId);
  await score(pool, retried.parcels, false);
  await store.finishRun(pool, runId);

  const second = await anotherRun(pool, guardId);
  await abandon(pool, second, size);
  await store.rankRun(pool, runId);
  await store.rankRun(pool, second.runId);
  await store.compareRuns(pool, { now: second.runId, before: runId }, { threshold: 0.5, examples: 10 });
  await store.newFlagged(pool, second.runId, runId);
  await store.eachScore(pool, { now: second.runId, before: runId }, () => {});
  const asked = { hashes: [hashOf(`x${runId}`)], tokenIds: [tokensOf('x')] };
  const express = await store.submitExpress(pool, guardId, asked);
  await askExpress(pool, guardId, size, express);
  await keepFiles(pool, runId, size);
  await keepKeys(pool, size);
  await keepPolicies(pool, size);
  await keepSchedules(pool, runId, size);
  await purge(pool, runId, second.runId);
}

async function look(pool: Pool, runId: number): Promise<void> {
  await store.listRuns(pool, { limit: 20 });
  await store.getRun(pool, runId);
  await store.pageRuns(pool, { limit: 20 });
  const run = await store.findRun(pool, runId);
  if (run === undefined) throw new Error('the run is gone');
  await store.listGuards(pool);
  await store.problemRows(pool, runId, 5);
  await store.problemReasons(pool, runId, 5);
  await store.runBefore(pool, 1, runId);
  await store.keptTexts(pool, runId);
  await all(store.eachRanked(pool, runId));
  await store.countAtLeast(pool, runId, [0.1, 0.5, 0.9]);
  await store.countByScore(pool, runId, [0, 0.5, 1]);
  await store.previewThreshold(pool, runId, { from: 0.5, to: 0.7, examples: 10 });
  await store.rankedRows(pool, runId, { order: 'score_asc', limit: 50 });
  await store.uncertainRows(pool, runId, { threshold: 0.5, floor: 0, limit: 50, after: {} });
  await store.randomRows(pool, runId, { among: 20, count: 10 });
  await store.itemsBySeq(pool, run, [1, 2, 3], { texts: true });
  await store.findItem(pool, run, 1);
  for await (const { texts } of store.textsInTurn(pool, run.id, [1, 2, 3]))
    expect(texts.size).toBeLessThan(4);
  for (const order of ['seq', 'score_desc', 'score_asc'] as const) {
    await store.pageItems(pool, run, { order, limit: 20, min: 0.2, max: 0.9, texts: true });
    await store.pageItems(pool, run, { order, limit: 20, search: 'common' });
  }
  await store.pageItems(pool, run, { order: 'seq', limit: 20, search: '-word1' });
}

async function review(pool: Pool, runId: number): Promise<void> {
  const run = await store.findRun(pool, runId);
  if (run === undefined) throw new Error('the run is gone');
  for (const order of ['uncertain', 'score', 'random'] as const) {
    const asked = { reviewer: 'ann', order, threshold: 0.5 };
    const row = await store.nextReview(pool, run, asked);
    if (row === undefined) throw new Error('no row is left to review');
    await store.giveVerdict(pool, run, {
      seq: row.seq,
      reviewer: 'ann',
      verdict: 'harmful',
      note: 'as it says',
    });
    await store.nextReview(pool, run, { ...asked, reviewer: 'bob', second: true });
  }
  await store.leaseFirst(pool, run, { reviewer: 'bob', second: false }, [{ seq: 1, score: 0.5 }]);
  await store.releaseReviews(pool, runId, 'bob');
  await store.reviewerCounts(pool, runId);
  // As many verdicts as rows: of a large review.
  await pool.query(
    `insert into verdicts (guard_id, content, run_id, seq, score, reviewer, verdict, note)
     select $2, content, $1, seq, 0.5, 'cleo', 'fine', 'quoted' from items where run_id = $1 and content is not null`,
    [runId, run.guardId],
  );
  await store.judgedContents(pool, run);
  await store.judgedScores(pool, 'f'.repeat(64));
  await store.undoVerdict(pool, runId, 'ann');
}

/** A run whose process is killed, and one that takes its parcels; one that fails, and one that is cancelled. */
async function abandon(pool: Pool, run: { runId: number; guardId: number }, size: number): Promise<void> {
  const lost = await anotherRun(pool, run.guardId);
  await submit(pool, lost, size);
  await pool.query(`update runs set seen_at = now() - interval '1 hour' where id = $1`, [lost.runId]);
  expect(await store.cancelAbandonedRuns(pool, await store.unattendedRuns(pool))).toContain(lost.runId);
  await store.forgetStoppedTexts(pool);
  const [failed, cancelled] = [await anotherRun(pool, run.guardId), await anotherRun(pool, run.guardId)];
  await submit(pool, failed, size);
  await submit(pool, cancelled, size);
  await store.failRun(pool, failed.runId, 'the disk is full');
  await store.cancelRun(pool, cancelled.runId);
  await store.endedFirings(pool);

  const words = Array.from({ length: size - 10 }, (_, i) => hashOf(`${lost.runId} ${i}`));
  const known = await store.knownContents(pool, run.guardId, words);
  expect(known).toHaveLength(words.length);
  await store.knownOutcomes(pool, run.guardId, words);
  const resumed = await store.submitWindow(pool, {
    ...run,
    afterRows: 0,
    items: words.map((content, i) => ({
      seq: i + 1,
      key: `row ${i}`,
      content,
      truncated: false,
      reject: null,
      json: JSON.stringify({ text: `again ${i}` }),
    })),
    parcels: [],
    stranded: [...new Set(known.map(({ parcelId }) => parcelId))],
    counts: { fresh: words.length, known: 0, duplicates: 0, rejected: 0 },
  });
  await score(pool, resumed ?? [], false);
  expect(await store.finishRun(pool, run.runId)).toBe('done');
}

async function askExpress(
  pool: Pool,
  guardId: number,
  size: number,
  asked: everything.SubmittedExpress,
): Promise<void> {
  const ids = asked.parcelId === undefined ? [] : [asked.parcelId];
  await pool.query(
    `insert into parcels (guard_id, state, contents, tokens, created_at)
     select $1, 'done', 1, 1, now() - interval '3 days' from generate_series(1, $2)`,
    [guardId, size],
  );
  await store.waitingExpress(pool, ids);
  await store.cancelExpress(pool, ids);
  await store.cancelAbandonedExpress(pool, guardId);
  await store.forgetExpress(pool, guardId);
  await store.purgeExpress(pool, 1);
}

/** As many files, batches, sessions and entries of the audit log as rows. */
async function keepFiles(pool: Pool, runId: number, size: number): Promise<void> {
  const mark = randomUUID();
  await pool.query(
    `insert into files (id, filename, purpose, bytes, complete_at, expires_at)
     select $1 || n, 'requests.jsonl', 'batch', 1, now(), now() + interval '1 hour' from generate_series(1, $2) n`,
    [mark, size],
  );
  await pool.query(
    `insert into batches (id, input_file, endpoint, completion_window, expires_at, state, run_id)
     select 'batch_' || $1 || n, $1 || n, '/v1/moderations', '24h', now() + interval '1 day', 'completed', $3
     from generate_series(1, $2) n`,
    [mark, size, runId],
  );
  await store.takeBatch(pool);
  await store.settleBatches(pool);
  await store.findBatch(pool, `batch_${mark}1`);
  await store.pageBatches(pool, { limit: 20 });
  await store.pageFiles(pool, { limit: 20, order: 'desc' });
  await store.findFile(pool, `${mark}1`);
  await store.findInput(pool, `${mark}1`);
  await store.deleteFile(pool, `${mark}1`);
  await store.forgetFiles(pool);
  await store.audit(pool, { keyId: null, who: 'test', action: 'run.cancel', subject: 'run', runId });
  await store.listAudit(pool, { limit: 20, runId });
  const { row } = await store.createKey(pool, { name: 'k', role: 'read', createdBy: 'test' });
  await pool.query(
    `insert into sessions (id, key_id, expires_at)
     select sha256(($1 || n)::bytea), $2, now() - interval '1 day' from generate_series(1, $3) n`,
    [mark, row.id, size],
  );
  await store.forgetSessions(pool);
  const file = `${mark}2`;
  const id = `batch ${mark}`;
  const expiresAt = new Date(Date.now() + HOUR_MS);
  const input = { inputFile: file, endpoint: '/v1/moderations', completionWindow: '24h', expiresAt };
  for (const one of [id, `${id} again`]) await store.addBatch(pool, { id: one, ...input });
  const taken = await store.takeBatch(pool);
  if (taken === undefined) throw new Error('no batch is left to take');
  await store.attendBatch(pool, taken);
  await store.changeBatch(pool, taken, { state: 'in_progress', runId, total: size });
  await store.cancelBatch(pool, taken.id);
  await store.leaveBatch(pool, taken);
  const ends = { total: size, completed: size, failed: 0, output: undefined, errors: undefined };
  const again = await store.takeBatch(pool);
  if (again === undefined) throw new Error('no batch is left to take');
  await store.endBatch(pool, again, { state: 'cancelled', ...ends });
}

/** As many keys and sessions as rows. */
async function keepKeys(pool: Pool, size: number): Promise<void> {
  const mark = randomUUID();
  const { key, row } = await store.createKey(pool, { name: mark, role: 'submit', createdBy: 'test' });
  await pool.query(
    `insert into api_keys (name, prefix, hash, role, created_by)
     select $1, $1 || n, sha256(($1 || n)::bytea), 'read', 'test' from generate_series(1, $2) n`,
    [mark, size],
  );
  await pool.query(
    `insert into sessions (id, key_id, expires_at)
     select sha256(($1 || n)::bytea), $2, now() + interval '1 day' from generate_series(1, $3) n`,
    [`${mark} session`, row.id, size],
  );
  await store.checkKeys(pool, [key, 'tcs_unknown']);
  await store.anyKey(pool);
  await store.listKeys(pool);
  const token = await store.beginSession(pool, row.id, 60);
  await store.checkSessions(pool, [token]);
  await store.validCredentials(pool, { keyIds: [row.id], sessions: [token] });
  await store.endSession(pool, token);
  await store.openRowsOf(pool, row.id);
  await store.revokeKey(pool, row.id);
}

/** As many policies as rows, and as many changes of one. */
async function keepPolicies(pool: Pool, size: number): Promise<void> {
  const name = randomUUID();
  const change = { who: 'test' };
  const { id } = await store.addPolicy(pool, { name, threshold: 0.5, meaning: 'for a test' }, change);
  await pool.query(
    `with added as (
       insert into policies (name, threshold, meaning)
       select $1 || n, 0.5, 'one of many' from generate_series(1, $2) n returning id
     )
     insert into policy_changes (policy_id, who, what) select id, 'test', 'created' from added
     union all select $3, 'test', 'threshold' from generate_series(1, $2)`,
    [name, size, id],
  );
  await store.changePolicy(pool, name, { threshold: 0.6 }, change);
  await store.findPolicy(pool, name);
  await store.listPolicies(pool, { archived: true });
  await store.policyChanges(pool, id, { limit: 20 });
}

/** As many schedules as rows, as many firings of one, and their deliveries. */
async function keepSchedules(pool: Pool, runId: number, size: number): Promise<void> {
  const name = randomUUID();
  const nextAt = new Date(Date.now() + HOUR_MS);
  const added = { cron: '0 3 * * *', timeZone: 'UTC', request: {}, nextAt };
  const { id } = await store.addSchedule(pool, { name, ...added });
  const { id: due } = await store.addSchedule(pool, { name: `${name} due`, ...added, nextAt: new Date() });
  await pool.query(
    `insert into schedules (name, cron, time_zone, request, next_at)
     select $1 || n, '0 3 * * *', 'UTC', '{}', now() + interval '1 hour' from generate_series(1, $2) n`,
    [name, size],
  );
  await pool.query(
    `with past as (
       insert into firings (schedule_id, due_at, cause, state)
       select $1, now() - make_interval(days => n), 'time', 'done' from generate_series(1, $2) n returning id
     )
     insert into deliveries (id, firing_id, body, state) select 'msg ' || id, id, '{}', 'delivered' from past`,
    [id, size],
  );
  await store.listSchedules(pool);
  await store.getSchedule(pool, name);
  await store.pauseSchedule(pool, name);
  await store.resumeSchedule(pool, name, nextAt);
  await store.fireNow(pool, name);
  await store.claimFirings(pool, { nextAfter: () => nextAt, message: () => undefined });
  const firing = await store.takeFiring(pool);
  if (firing === undefined) throw new Error('no firing is left to take');
  await store.attendFiring(pool, firing);
  await store.setFiringRun(pool, firing, runId);
  await store.setFiringState(pool, firing, 'scoring');
  await store.firingOf(pool, firing.id);
  await store.endFiring(pool, firing, { state: 'done', message: { id: randomUUID(), body: '{}' } });
  const delivery = await store.takeDelivery(pool, 60);
  if (delivery === undefined) throw new Error('no delivery is left to take');
  await store.noteAttempt(pool, delivery.id, { state: 'delivered', status: 200, error: null });
  await store.listFirings(pool, id, 20);
  await store.listDeliveries(pool, id, 20);
  await store.closeWebhook(pool, due, 'gone');
  await store.removeSchedule(pool, name);
}

async function purge(pool: Pool, ...runIds: number[]): Promise<void> {
  for (const runId of runIds) await store.purgeableRuns(pool, { runId });
  await store.purgeableRuns(pool, { olderThanDays: 1 });
  await store.purgeTexts(pool, runIds);
  await store.purgeRunFiles(pool, runIds);
  await store.purgeFiles(pool, 0);
  await store.purgeScores(pool, runIds);
  await store.purgeRuns(pool, runIds);
}

/** The work of a life of that size, in a database whose statistics are of before it. */
async function workOf(size: number, before: 'nothing' | 'a run'): Promise<PlanWork> {
  const database = await TestDatabase.migrated();
  const pool = createPool(database.url, { applicationName: 'tocsin test', max: 2 });
  try {
    // Nobody else takes statistics, however long this takes.
    const { rows } = await pool.query<{ name: string }>(
      `select format('%I', relname) as name from pg_class where relkind = 'r' and relnamespace = 'tocsin'::regnamespace`,
    );
    for (const { name } of rows) await pool.query(`alter table ${name} set (autovacuum_enabled = off)`);
    await pool.query('analyze');
    if (before === 'a run') {
      await live(pool, SMALL / 2);
      const kept = await newRun(pool, { threshold: 0.5, retain: 'all' });
      await score(pool, await submit(pool, kept, SMALL / 2), false);
      await store.finishRun(pool, kept.runId);
      await store.prepareRuns(pool);
      await pool.query('analyze');
    }
    const watched = watchedPool(database.url);
    try {
      await live(watched.pool, size);
    } finally {
      await watched.pool.end();
    }
    return watched.work;
  } finally {
    await pool.end();
    await database.close();
  }
}

describe.each(['nothing', 'a run'] as const)('with statistics of %s', (before) => {
  test('the work of each statement grows no faster than the rows', async () => {
    const small = await workOf(SMALL, before);
    const large = await workOf(LARGE, before);
    expect(small.size).toBeGreaterThan(100);
    const limit = (SLACK * LARGE) / SMALL;
    const grown = [...large]
      .map(([statement, rows]) => ({ statement, rows, of: small.get(statement) ?? 0 }))
      .filter(({ rows, of }) => rows > limit * Math.max(of, FLOOR));
    expect(grown).toEqual([]);
  });
});

test('no function of the store is left out', () => {
  const functions = Object.entries(everything).filter(([, value]) => typeof value === 'function');
  expect(functions.map(([name]) => name).filter((name) => !used.has(name) && !ELSEWHERE.has(name))).toEqual(
    [],
  );
});
