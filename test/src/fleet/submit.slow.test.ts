import { readFile } from 'node:fs/promises';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { MORE_THAN_A_WORKER_STORES, ParcelGate } from '../setup/parcel-gate.js';
import { until, untilLockIsAwaited } from '../setup/processes.js';
import { goldenGuard, type ScoreLine } from '../setup/tocsin.js';
import { expectSame, Fleet, GUARD, ROWS, undisturbed } from './fleet.js';

let expected: ScoreLine[];
beforeAll(async () => {
  expected = await undisturbed();
});

const open: Fleet[] = [];
afterEach(async () => {
  for (const fleet of open.splice(0).reverse()) await fleet.close();
});
async function newFleet(shared?: Fleet): Promise<Fleet> {
  const fleet = await Fleet.open(shared);
  open.push(fleet);
  return fleet;
}

test('two workers score what was submitted; one is killed, and the other ends the run without anybody waiting', async () => {
  const fleet = await newFleet();
  const runId = await fleet.submit(await fleet.corpus());
  expect(await fleet.shown(runId)).toMatchObject({ state: 'scoring', rows: ROWS.length, left: ROWS.length });
  const early = await fleet.run(['export', String(runId)]);
  expect(early).toMatchObject({ exitCode: 1, stdout: Buffer.alloc(0) });
  expect(early.stderr).toMatch(
    /run \d+ is not finished: \d+ of its 2000 rows wait for a score\n.*tocsin runs watch/,
  );

  await ParcelGate.close(fleet.database.pool);
  const victim = await fleet.readyWorker();
  await fleet.untilDone(3);
  const other = await fleet.readyWorker();
  victim.kill('SIGKILL');
  await ParcelGate.open(fleet.database.pool);
  const watched = await fleet.run(['run', String(runId), '--watch']);
  expect(watched).toMatchObject({ exitCode: 0 });
  expect(String(watched.stdout)).toMatch(/state: +done\n(.*\n)*rows: +2,000 \(100 % done\)/);
  expectSame(await fleet.exported(runId), expected);
  // No content is in two parcels.
  expect(await fleet.ask('select sum(contents)::int as contents from parcels')).toEqual([
    { contents: ROWS.length },
  ]);
  other.kill('SIGTERM');
  expect(await other.ended).toMatchObject({ exitCode: 0 });

  // All contents are cached: the run finishes without a worker.
  const again = await fleet.run(['submit', await fleet.corpus(), ...goldenGuard(GUARD), '--json']);
  expect(JSON.parse(String(again.stdout))).toMatchObject({
    state: 'done',
    rows: 2000,
    known: 2000,
    fresh: 0,
  });
  const { stdout } = await fleet.run(['runs']);
  expect(String(stdout)).toMatch(/corpus\.jsonl .* done .* 2,000/);
});

test('a queue that loses everything while nobody attends the run loses no work', async () => {
  const fleet = await newFleet();
  const runId = await fleet.submit(await fleet.corpus());
  await ParcelGate.close(fleet.database.pool);
  await fleet.readyWorker();
  await fleet.untilDone(3);
  const client = fleet.redis.client();
  await client.flushall();
  client.disconnect();
  expect((await fleet.parcels()).waiting).toBeGreaterThan(0);
  await ParcelGate.open(fleet.database.pool);
  await fleet.untilState(runId, 'done');
  expectSame(await fleet.exported(runId), expected);
});

test('two databases on one Redis do not take the parcels of each other', async () => {
  const one = await newFleet();
  const two = await newFleet(one);
  const first = await one.submit(await one.corpus(ROWS.slice(0, 1000)));
  const second = await two.submit(await two.corpus(ROWS.slice(0, 1000)));
  const worker = await two.readyWorker();
  await two.untilState(second, 'done');
  expect(await one.parcels()).toMatchObject({ done: 0, cancelled: 0 });
  worker.kill('SIGTERM');
  await worker.ended;
  await one.readyWorker();
  await one.untilState(first, 'done');
  for (const [fleet, runId] of [
    [one, first],
    [two, second],
  ] as const) {
    expectSame(await fleet.exported(runId), expected.slice(0, 1000));
  }
});

test('a submitter that is killed: its run is taken for abandoned, and the same command goes on', async () => {
  const fleet = await newFleet();
  const corpus = await fleet.corpus();
  // It waits for more input.
  const submitter = fleet.start(['submit', '-', ...goldenGuard(GUARD)], {
    stdin: await readFile(corpus),
    stdinStaysOpen: true,
  });
  const runId = await until(async () => {
    const [table] = await fleet.ask<{ name: string | null }>(`select to_regclass('item_texts') as name`);
    if (table?.name === null) return undefined;
    return (await fleet.ask<{ id: number }>('select id from runs where rows > 0'))[0]?.id;
  });
  submitter.kill('SIGKILL');
  await submitter.ended;
  expect(await fleet.stateOf(runId)).toBe('submitting');
  // As after half a minute.
  await fleet.ask(`update runs set seen_at = now() - interval '31 seconds' where id = $1`, [runId]);
  await fleet.readyWorker();
  await fleet.untilState(runId, 'cancelled');
  await until(async () => {
    const [texts] = await fleet.ask<{ left: number }>('select count(*) as left from item_texts');
    return texts?.left === 0 ? true : undefined;
  });
  const again = await fleet.submit(corpus);
  await fleet.untilState(again, 'done');
  expectSame(await fleet.exported(again), expected);
});

test('a run that is cancelled keeps its scores; a retry scores the rest and nothing twice', async () => {
  const fleet = await newFleet();
  const runId = await fleet.submit(await fleet.corpus());
  const { pool } = fleet.database;
  await ParcelGate.close(pool, MORE_THAN_A_WORKER_STORES);
  const worker = await fleet.readyWorker();
  await fleet.untilDone(3);
  const cancelling = fleet.start(['cancel', String(runId)]);
  // It waits for the parcels being stored, or has ended.
  await Promise.race([cancelling.ended, untilLockIsAwaited(pool)]);
  await ParcelGate.open(fleet.database.pool);
  expect(String((await cancelling.ended).stdout)).toBe(`Run ${runId} is cancelled.\n`);
  worker.kill('SIGTERM');
  await worker.ended;
  const before = await fleet.shown(runId);
  expect(before.state).toBe('cancelled');
  expect(before.scored).toBeGreaterThan(0);
  expect(before.left).toBeGreaterThan(0);
  expect(before.left).toBe(ROWS.length - before.scored);
  // Existing scores can be exported, and the exit code says that they are incomplete.
  const partial = await fleet.run(['export', String(runId)]);
  expect(partial).toMatchObject({ exitCode: 2 });
  const done = await fleet.ask(`select id, finished_at from parcels where state = 'done' order by id`);

  const retried = await fleet.run(['retry', String(runId)]);
  expect(String(retried.stdout)).toMatch(/^Run \d+: [\d,]+ rows wait for a score/);
  await fleet.readyWorker();
  await fleet.untilState(runId, 'done');
  expectSame(await fleet.exported(runId), expected);
  expect(await fleet.ask(`select id, finished_at from parcels where state = 'done' order by id`)).toEqual(
    expect.arrayContaining(done),
  );
  const nothing = await fleet.run(['retry', String(runId)]);
  expect(String(nothing.stdout)).toBe(`Run ${runId}: there is nothing to retry.\n`);
});
