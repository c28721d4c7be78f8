import { afterEach, beforeEach, expect, test } from 'vitest';
import { ParcelGate } from '../setup/parcel-gate.js';
import { childrenOf, until, untilGone } from '../setup/processes.js';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';
import { engineOf, Fleet, GUARD, ROWS } from './fleet.js';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.open();
});
afterEach(() => fleet.close());

/** Held in the queue by workers. */
async function active(): Promise<number> {
  const client = fleet.redis.client();
  const lists = await client.keys('*parcels-*:active');
  const lengths = await Promise.all(lists.map((list) => client.llen(list)));
  client.disconnect();
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Waits until workers hold parcels. @returns the number of parcels */
function untilHolds(): Promise<number> {
  return until(async () => (await active()) || undefined);
}

/** A worker whose engine is stopped while it holds parcels, before it has scored any. */
async function stuckWorker(args: string[] = []): Promise<{ worker: TocsinProcess; engine: number }> {
  const worker = await fleet.readyWorker(args);
  const engine = engineOf(worker.pid);
  if (engine === undefined) throw new Error('no engine process');
  process.kill(engine, 'SIGSTOP');
  return { worker, engine };
}

test('a worker that drains in time finishes what it holds and takes nothing new', async () => {
  const { worker, engine } = await stuckWorker();
  await fleet.submit(await fleet.corpus());
  const held = await untilHolds();
  worker.kill('SIGTERM');
  process.kill(engine, 'SIGCONT');
  expect(await worker.ended).toMatchObject({ exitCode: 0 });
  expect(worker.stderr).toContain('worker drained');
  expect(worker.stderr).not.toContain('given back');
  const after = await fleet.parcels();
  expect(after.done).toBeGreaterThanOrEqual(held);
  expect(after.waiting).toBeGreaterThan(0);
  expect(await active()).toBe(0);
});

test('past the limit it gives back what it holds, says so, and others take it at once', async () => {
  const { worker, engine } = await stuckWorker(['--drain-timeout', '0s']);
  const runId = await fleet.submit(await fleet.corpus());
  await untilHolds();
  worker.kill('SIGTERM');
  await worker.said(/"parcels":\d+.*drain timeout: released unfinished parcels/);
  process.kill(engine, 'SIGCONT');
  expect(await worker.ended).toMatchObject({ exitCode: 0 });
  await untilGone([engine]);
  expect(await fleet.parcels()).toMatchObject({ done: 0 });
  expect(await active()).toBe(0);
  await fleet.readyWorker();
  await fleet.untilState(runId, 'done');
  expect(await fleet.shown(runId)).toMatchObject({ scored: ROWS.length, failed: 0 });
});

test('one worker process for each device: one that is killed is replaced, and all drain together', async () => {
  const runId = await fleet.submit(await fleet.corpus());
  await ParcelGate.close(fleet.database.pool);
  const group = fleet.worker(['--devices', 'cpu,cpu']);
  const children = (): number[] =>
    childrenOf(group.pid)
      .filter(({ command }) => command.includes(' work '))
      .map(({ pid }) => pid);
  const [first] = await until(() => (children().length === 2 ? children() : undefined));
  await fleet.untilDone(3);
  if (first === undefined) throw new Error('no child');
  process.kill(first, 'SIGKILL');
  await until(() =>
    group.stderr.includes('died (signal SIGKILL); starting another on cpu') ? true : undefined,
  );
  await ParcelGate.open(fleet.database.pool);
  await fleet.untilState(runId, 'done');
  await until(() => (children().length === 2 && !children().includes(first) ? true : undefined));
  const left = children();
  group.kill('SIGTERM');
  expect(await group.ended).toMatchObject({ exitCode: 0 });
  await untilGone(left);
});

test('what a worker cannot work with, it refuses with what to do', async () => {
  const runId = await fleet.submit(await fleet.corpus(ROWS.slice(0, 10)));
  const other = ['work', ...goldenGuard('llama-residual'), '--threads', '1'];

  // A guard other than the run's: its parcels would wait forever.
  const wrong = await fleet.run([...other, '--run', String(runId)]);
  expect(wrong.exitCode).toBe(1);
  expect(wrong.stderr).toMatch(
    /run \d+ is to be scored by .*qwen3-residual.*, float32 \[\w{12}\], and this worker's guard is .*llama-residual.*, float32 \[\w{12}\]\n.*--guard/,
  );
  const missing = await fleet.run([...other, '--run', '4711']);
  expect(missing.stderr).toMatch(/there is no run 4711/);
  // Without a run it works, and reports that there is no work for it.
  const idle = fleet.start(other);
  await idle.said(/worker ready/);
  expect(idle.stderr).toMatch(
    /"others":\[".*qwen3-residual.*, float32 \[\w{12}\] \(\d+\)"\].*no parcel waits for this guard/,
  );
  idle.kill('SIGTERM');
  await idle.ended;

  // A Redis that evicts keys when it is full.
  const client = fleet.redis.client();
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  const evicting = await fleet.worker().ended;
  expect(evicting.exitCode).toBe(1);
  expect(evicting.stderr).toMatch(
    /has maxmemory-policy allkeys-lru, and a queue needs noeviction\nSet it: .*/,
  );
  expect(evicting.stderr).not.toContain('test-only');
  await client.config('SET', 'maxmemory-policy', 'noeviction');
  client.disconnect();

  // A database of a newer version.
  await fleet.ask(`insert into tocsin_migrations (hash, created_at) values ('later', 9e12)`);
  const newer = await fleet.worker().ended;
  expect(newer.exitCode).toBe(1);
  expect(newer.stderr).toMatch(/set up by a newer version of Tocsin\nUpdate Tocsin here/);
});

test('everything embedded: it serves what another command submits, until Ctrl-C', async () => {
  const corpus = await fleet.corpus(ROWS.slice(0, 100));
  const env = { TOCSIN_DATA: `${fleet.dir}/postgres` };
  const start = new TocsinProcess(['start', ...goldenGuard(GUARD), '--threads', '1', '--port', '0'], { env });
  const run = (args: string[]) => new TocsinProcess(args, { env }).ended;
  try {
    await start.said(/Serving/);
    const submitted = await run(['submit', corpus, ...goldenGuard(GUARD)]);
    expect(String(submitted.stdout)).toBe('1\n');
    expect(await run(['run', '1', '--watch'])).toMatchObject({ exitCode: 0 });
    const processes = childrenOf(start.pid).map(({ pid }) => pid);
    start.kill('SIGINT');
    expect(await start.ended).toMatchObject({ exitCode: 0 });
    await untilGone(processes);
    // The database was stopped with it, and is available again.
    const { stdout } = await run(['runs', '--json']);
    expect(JSON.parse(String(stdout))).toMatchObject({ id: 1, state: 'done', scored: 100 });
  } finally {
    start.kill('SIGKILL');
    await start.ended;
  }
});
