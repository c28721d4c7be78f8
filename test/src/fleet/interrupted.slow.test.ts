import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ParcelGate } from '../setup/parcel-gate.js';
import { until, untilLockIsAwaited } from '../setup/processes.js';
import { randomRows } from '../setup/random-words.js';
import { goldenGuard, TocsinProcess, tocsin } from '../setup/tocsin.js';
import { Fleet, GUARD, ROWS } from './fleet.js';

const INTERRUPTED = 130;
const TAKE_FILES = new Set(['score', 'submit']);

let seed = 0;
let fleet: Fleet;
let corpus: string;
beforeAll(async () => {
  fleet = await Fleet.open();
  corpus = await fleet.corpus(ROWS.slice(0, 300));
  // Creates the tables.
  await fleet.run(['runs']);
});
afterAll(() => fleet.close());

/** Locks a table exclusively until the test ends. */
async function lock(table: string): Promise<void> {
  const holder = await fleet.database.pool.connect();
  await holder.query(`begin; lock table ${table} in access exclusive mode`);
  onTestFinished(async () => {
    await holder.query('rollback');
    holder.release();
  });
}

const serving = ['--threads', '1', ...goldenGuard(GUARD)];

test.each<[command: string, table: string, args: string[], exitCode: number]>([
  ['score', 'runs', [...goldenGuard(GUARD)], INTERRUPTED],
  ['submit', 'runs', [...goldenGuard(GUARD)], INTERRUPTED],
  ['runs', 'runs', [], INTERRUPTED],
  ['run', 'runs', ['1'], INTERRUPTED],
  ['run', 'runs', ['1', '--watch'], INTERRUPTED],
  ['export', 'runs', ['1'], INTERRUPTED],
  ['cancel', 'runs', ['1'], INTERRUPTED],
  ['retry', 'runs', ['1'], INTERRUPTED],
  ['purge', 'runs', ['--run', '1', '--yes'], INTERRUPTED],
  ['schedule', 'schedules', ['list'], INTERRUPTED],
  ['keys', 'api_keys', ['list'], INTERRUPTED],
  // They were told to stop, and have stopped.
  ['work', 'guards', serving, 0],
  ['start', 'guards', [...serving, '--port', '0'], 0],
  ['dashboard', 'guards', [...serving, '--port', '0'], 0],
  ['schedule', 'schedules', ['serve'], 0],
])('%s that waits for the table %s ends when it is told to', (command, table, args, exitCode) =>
  requireEnd([command, ...(TAKE_FILES.has(command) ? [corpus] : []), ...args], table, exitCode, fleet.env),
);

test.each<[command: string, table: string, args: string[], exitCode: number]>([
  ['score', 'tocsin_queue.migration', [...goldenGuard(GUARD)], INTERRUPTED],
  ['score', 'tocsin_queue.job', [...goldenGuard(GUARD)], INTERRUPTED],
  ['submit', 'tocsin_queue.job', [...goldenGuard(GUARD)], INTERRUPTED],
  ['work', 'tocsin_queue.migration', serving, 0],
  ['work', 'tocsin_queue.job', serving, 0],
  ['start', 'tocsin_queue.migration', [...serving, '--port', '0'], 0],
  ['start', 'tocsin_queue.job', [...serving, '--port', '0'], 0],
])('with its queue in PostgreSQL, %s that waits for %s ends too', async (command, table, args, exitCode) => {
  const env = { DATABASE_URL: fleet.database.url };
  // Creates the queue's tables.
  await tocsin(['runs'], { env });
  // Every text is new.
  const corpus = await fleet.corpus(randomRows(50, 12, ++seed), 'new.jsonl');
  await requireEnd([command, ...(TAKE_FILES.has(command) ? [corpus] : []), ...args], table, exitCode, env);
});

async function requireEnd(
  args: string[],
  table: string,
  exitCode: number,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  await lock(table);
  const running = new TocsinProcess(args, { env });
  onTestFinished(async () => {
    running.kill('SIGKILL');
    await running.ended;
  });
  await Promise.race([untilLockIsAwaited(fleet.database.pool), running.ended]);
  running.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended, ended.stderr).toMatchObject({ exitCode, signal: null });
  expect(ended.stderr).not.toMatch(/defect|canceling statement/);
  expect(await waiting()).toBe(0);
}

async function waiting(): Promise<number | null> {
  const { rowCount } = await fleet.database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount;
}

test('a worker past its drain limit cancels what it waits for, and gives its parcels back', async () => {
  // Interrupted commands of the tests before have left some.
  const { done, cancelled } = await fleet.parcels();
  await fleet.submit(corpus);
  await ParcelGate.close(fleet.database.pool, ROWS.length);
  const worker = await fleet.readyWorker(['--drain-timeout', '0s']);
  await until(async () => (await ParcelGate.isReached(fleet.database.pool)) || undefined);
  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ exitCode: 0, signal: null });
  expect(worker.stderr).toMatch(/drain timeout: released unfinished parcels/);
  expect(await fleet.parcels()).toMatchObject({ done, cancelled });
});
