import { existsSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { processes, processesNaming, untilGone, untilLockIsAwaited } from '../setup/processes.js';
import { LongRun, type Parcel, parcelsOf, undisturbed } from './long-run.js';

beforeAll(undisturbed);

const doneOf = (parcels: Parcel[]): Parcel[] => parcels.filter(({ state }) => state === 'done');

test('the command killed in mid-run: its processes end by themselves, and the same command goes on', async () => {
  const run = await LongRun.prepare();
  const { command, worker, engine } = await run.startAndWait();
  command.kill('SIGKILL');
  await command.ended;
  await run.release();
  await untilGone([worker, engine]);
  expect(existsSync(run.out)).toBe(false);
  // No command is left that would stop the server; the worker's parcels are stored.
  const postgres = await run.postmaster();
  expect(processes().map(({ pid }) => pid)).toContain(postgres);
  const before = doneOf(await run.ask(parcelsOf));

  await run.expectWhole(await run.start().ended);
  // Scores are reused, and the server left running has been stopped.
  expect(doneOf(await run.askAfterwards(parcelsOf))).toEqual(expect.arrayContaining(before));
  await untilGone([postgres]);
  expect(processesNaming(run.dataDir)).toEqual([]);
});

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s in mid-run: it stops with exit code 130, and the same command goes on',
  async (signal) => {
    const run = await LongRun.prepare();
    const { command, worker, engine } = await run.startAndWait();
    const postgres = await run.postmaster();
    command.kill(signal);
    // The parcels being stored come first; all others are cancelled.
    await run.ask(untilLockIsAwaited);
    await run.release();
    const stopped = await command.ended;
    expect(stopped).toMatchObject({ exitCode: 130, stdout: Buffer.alloc(0) });
    expect(stopped.stderr).toMatch(/Stopped\. .* the same command resumes\.\n$/);
    expect(existsSync(run.out)).toBe(false);
    await untilGone([worker, engine, postgres]);
    const before = await run.askAfterwards(parcelsOf);
    expect(new Set(before.map(({ state }) => state))).toEqual(new Set(['done', 'cancelled']));

    const ended = await run.start().ended;
    await run.expectWhole(ended);
    expect(doneOf(await run.askAfterwards(parcelsOf))).toEqual(expect.arrayContaining(doneOf(before)));
    const done = doneOf(before).reduce((sum, { contents }) => sum + contents, 0);
    expect(JSON.parse(String(ended.stdout))).toMatchObject({
      rows: 3000,
      scored: 3000,
      fresh: 3000 - done,
      fromCache: done,
    });
  },
);
