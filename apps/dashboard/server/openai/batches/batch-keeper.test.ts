import { randomBytes } from 'node:crypto';
import { UserError } from '@tocsin/core';
import type { OpenGuard } from '@tocsin/engine';
import type { Submit } from '@tocsin/pipeline';
import {
  addBatch,
  type BatchRow,
  beginFile,
  createRun,
  FileWriter,
  failRun,
  findBatch,
  registerGuard,
  submitWindow,
  takeBatch,
} from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { AskedGuard } from '../models.js';
import { BatchKeeper } from './batch-keeper.js';

let database: TestDatabase;
let guardId: number;
beforeAll(async () => {
  database = await TestDatabase.migrated();
  guardId = (await registerGuard(database.pool, 'a'.repeat(64), 'starter')).id;
});
afterAll(() => database?.close());

const keepers: BatchKeeper[] = [];
afterEach(async () => {
  await Promise.all(keepers.splice(0).map((keeper) => keeper.close()));
  await database.pool.query('delete from batches');
});

const guard: AskedGuard = {
  name: 'starter',
  threshold: 0.5,
  createdAt: new Date(0),
  scorer: { score: () => Promise.reject(new Error('nobody asks')) },
  open: { ref: 'starter' } as OpenGuard,
};

/** Runs a batch keeper with a fake submission. @returns its log */
function keep(submit: Submit): { log: string[]; keeper: BatchKeeper } {
  const log: string[] = [];
  const options = { pool: database.pool, guards: [guard], submit };
  const keeper = new BatchKeeper({ ...options, log: pino({}, { write: (line) => log.push(line) }) });
  keepers.push(keeper);
  keeper.start();
  return { log, keeper };
}

let ids = 0;
async function addRequests(): Promise<BatchRow> {
  const { pool } = database;
  const id = `file-${++ids}`;
  await beginFile(pool, { id, filename: 'requests.jsonl', purpose: 'batch' });
  const writer = new FileWriter(pool, id);
  const request = { custom_id: 'a', method: 'POST', url: '/v1/moderations', body: { input: 'tea' } };
  await writer.write(`${JSON.stringify(request)}\n`);
  await writer.complete();
  return addBatch(pool, {
    id: `batch_${ids}`,
    inputFile: id,
    endpoint: '/v1/moderations',
    completionWindow: '24h',
    expiresAt: new Date(Date.now() + 60_000),
  });
}

const now = (batch: BatchRow): Promise<BatchRow | undefined> => findBatch(database.pool, batch.id);

test('what is broken off when the server stops is left to whoever comes next, at once', async () => {
  const batch = await addRequests();
  let begin: (name: string) => void = () => {};
  const begun = new Promise<string>((resolve) => {
    begin = resolve;
  });
  const { keeper } = keep(async ({ name, threshold, onRun, signal }) => {
    const runId = await createRun(database.pool, guardId, name, { threshold: threshold ?? 0 });
    await onRun?.(runId);
    begin(name);
    return new Promise<number>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  });
  expect(await begun).toBe('requests.jsonl');
  await keeper.close();
  expect(await takeBatch(database.pool)).toMatchObject({
    id: batch.id,
    state: 'validating',
    model: 'starter',
    runId: expect.any(Number) as number,
  });
});

test('a submission that a person has to mend fails the batch', async () => {
  const batch = await addRequests();
  keep(() => Promise.reject(new UserError('the run was cancelled')));
  await expect
    .poll(() => now(batch))
    .toMatchObject({
      state: 'failed',
      errors: [{ code: 'not_submitted', message: 'the run was cancelled', param: null, line: null }],
    });
});

test('a defect is logged and tried again later, but not for ever', async () => {
  const batch = await addRequests();
  let tries = 0;
  const { log } = keep(() => {
    tries++;
    return Promise.reject(new Error('a defect'));
  });
  await expect.poll(() => log.join('')).toContain('a defect');
  expect(await now(batch)).toMatchObject({ state: 'validating' });
  // As after seven more retries with backoff.
  await database.pool.query(`update batches set takes = 8, seen_at = now() - interval '1 minute'`);
  await expect
    .poll(() => now(batch))
    .toMatchObject({
      state: 'failed',
      errors: [{ code: 'server_error', message: expect.stringContaining('8 tries') as string }],
    });
  expect(tries).toBe(1);
});

test('one that is cancelled before it has a run ends without files', async () => {
  const batch = await addRequests();
  await database.pool.query(`update batches set state = 'cancelling', cancelling_at = now()`);
  keep(() => Promise.reject(new Error('it is not to be submitted')));
  await expect
    .poll(() => now(batch))
    .toMatchObject({ state: 'cancelled', outputFile: null, errorFile: null });
});

test('one whose run fails while it is scored has failed with its reason, unless it was cancelled', async () => {
  const { pool } = database;
  const [failing, cancelled] = [await addRequests(), await addRequests()];
  for (const batch of [failing, cancelled]) {
    const runId = await createRun(pool, guardId, 'requests.jsonl', { threshold: 0.5 });
    const content = randomBytes(32);
    await submitWindow(pool, {
      runId,
      guardId,
      afterRows: 0,
      stranded: [],
      items: [{ seq: 1, key: 'a', content, truncated: false, reject: null }],
      parcels: [{ hashes: [content], tokenIds: [Int32Array.of(1)] }],
      counts: { fresh: 1, known: 0, duplicates: 0, rejected: 0 },
    });
    await failRun(pool, runId, 'the disk is full');
    await pool.query(
      `update batches set state = 'in_progress', model = 'starter', run_id = $2, total = 1,
         cancelling_at = case when id = $3 then now() end where id = $1`,
      [batch.id, runId, cancelled.id],
    );
  }
  keep(() => Promise.reject(new Error('it is not to be submitted')));
  await expect
    .poll(() => now(failing))
    .toMatchObject({
      state: 'failed',
      errors: [{ code: 'run_failed', message: 'the disk is full' }],
      failedAt: expect.any(Date) as Date,
    });
  await expect.poll(() => now(cancelled)).toMatchObject({ state: 'cancelled', errors: null });
});

test('one whose run was purged, and one whose input is gone, have failed', async () => {
  const [purged, lost] = [await addRequests(), await addRequests()];
  const { pool } = database;
  await pool.query(`update batches set state = 'in_progress', model = 'starter' where id = $1`, [purged.id]);
  await pool.query('delete from files where id = $1', [lost.inputFile]);
  keep(() => Promise.reject(new Error('it is not to be submitted')));
  await expect.poll(() => now(purged)).toMatchObject({ state: 'failed', errors: [{ code: 'results_lost' }] });
  await expect.poll(() => now(lost)).toMatchObject({ state: 'failed', errors: [{ code: 'file_not_found' }] });
});
