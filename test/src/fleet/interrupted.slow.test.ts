import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ParcelGate } from '../setup/parcel-gate.js';
import { until, untilLockIsAwaited } from '../setup/processes.js';
import { goldenGuard } from '../setup/tocsin.js';
import { Fleet, GUARD, ROWS } from './fleet.js';

const INTERRUPTED = 130;

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
])('%s that waits for the table %s ends when it is told to', async (command, table, args, exitCode) => {
  await lock(table);
  const takesFiles = command === 'score' || command === 'submit';
  const running = fleet.start([command, ...(takesFiles ? [corpus] : []), ...args]);
  await Promise.race([untilLockIsAwaited(fleet.database.pool), running.ended]);
  running.kill('SIGTERM');
  const ended = await running.ended;
  expect(ended, ended.stderr).toMatchObject({ exitCode, signal: null });
  expect(ended.stderr).not.toMatch(/defect|canceling statement/);
  expect(await waiting()).toBe(0);
});

async function waiting(): Promise<number | null> {
  const { rowCount } = await fleet.database.pool.query(
    `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rowCount;
}

test('a worker past its drain limit cancels what it waits for, and gives its parcels back', async () => {
  await fleet.submit(corpus);
  await ParcelGate.close(fleet.database.pool, ROWS.length);
  const worker = await fleet.readyWorker(['--drain-timeout', '0s']);
  await until(async () => (await ParcelGate.isReached(fleet.database.pool)) || undefined);
  worker.kill('SIGTERM');
  expect(await worker.ended).toMatchObject({ exitCode: 0, signal: null });
  expect(worker.stderr).toMatch(/drain timeout: released unfinished parcels/);
  expect(await fleet.parcels()).toMatchObject({ done: 0, cancelled: 0 });
});
