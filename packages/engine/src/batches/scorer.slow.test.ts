import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenCases, goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { type OpenGuard, openGuard } from '../compiled/open-guard.js';
import { isRunning } from '../testing/is-running.js';
import { UNMEASURED } from './plan-batches.js';
import { Scorer, type ScorerOptions } from './scorer.js';

const temp = tempDir();
const cases = goldenCases('llama-residual');
const rows = cases.map(({ tokenIds }) => Int32Array.from(tokenIds));
const scorers: Scorer[] = [];
let guard: OpenGuard;

beforeAll(async () => {
  guard = await openGuard(goldenDirs('llama-residual').artifact, { cacheDir: join(temp, 'cache') });
});
afterEach(async () => {
  await Promise.all(scorers.splice(0).map((scorer) => scorer.close()));
});

async function start(options: ScorerOptions = {}): Promise<Scorer> {
  const scorer = await Scorer.start(guard, options);
  scorers.push(scorer);
  return scorer;
}

test('calls may overlap: each has its scores, in its order', async () => {
  const scorer = await start();
  const calls = [rows, rows.slice(3, 4), rows.toReversed()];
  const scored = await Promise.all(calls.map((call) => scorer.score(call)));
  const expected = [cases, cases.slice(3, 4), cases.toReversed()];
  for (const [i, outcomes] of scored.entries()) {
    for (const [j, { score }] of outcomes.entries()) {
      expect(score).toBeCloseTo(expected[i]?.[j]?.score ?? Number.NaN, 4);
    }
  }
  expect(scorer.counts.tokens).toBe(calls.flat().reduce((sum, ids) => sum + ids.length, 0));
  expect(scorer.counts.passes).toBeLessThan(calls.flat().length);
});

test('an express row overtakes what bulk has waiting in the engine process, and has the same score', async () => {
  const scorer = await start({ costModel: { ...UNMEASURED, budgetTokens: 64 } });
  const order: string[] = [];
  const bulk = Array.from({ length: 30 }, () => rows).flat();
  const bulkDone = scorer.score(bulk).then(() => order.push('bulk'));
  await scorer.score(rows.slice(0, 1), { lane: 'express' });
  const [express] = await scorer.score(rows.slice(3, 4), { lane: 'express' });
  order.push('express');
  expect(express?.score).toBeCloseTo(cases[3]?.score ?? Number.NaN, 4);
  await bulkDone;
  expect(order).toEqual(['express', 'bulk']);
});

test('a row that the model cannot take errs, and no other', async () => {
  const scorer = await start();
  const poison = Int32Array.of(1, 1_000_000);
  const empty = new Int32Array();
  const outcomes = await scorer.score([...rows.slice(0, 4), poison, ...rows.slice(4, 6), empty]);
  expect(outcomes.map(({ error }) => error !== undefined)).toEqual([
    ...[false, false, false, false, true],
    ...[false, false, true],
  ]);
  expect(outcomes[4]?.error).toContain('Gather');
  expect(outcomes[5]?.score).toBeCloseTo(cases[4]?.score ?? Number.NaN, 4);
  expect(outcomes[7]?.error).toContain('has no tokens');
});

test('an engine process that is killed costs no row', async () => {
  const reasons: string[] = [];
  const scorer = await start({ onRestart: (reason) => reasons.push(reason) });
  const scoring = scorer.score(Array.from({ length: 6 }, () => rows).flat());
  process.kill((await scorer.enginePid()) ?? 0, 'SIGKILL');
  const outcomes = await scoring;
  expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
  for (const [i, { score }] of outcomes.entries()) {
    expect(score).toBeCloseTo(cases[i % cases.length]?.score ?? Number.NaN, 4);
  }
  expect(reasons).toHaveLength(1);
});

test('costs are guessed until somebody measures, then kept beside the guard for all', async () => {
  expect((await start()).costModel).toEqual(UNMEASURED);
  expect((await readdir(guard.compiled.dir)).filter((name) => name.startsWith('cost'))).toEqual([]);
  const measured = (await start({ calibrateAfter: 0 })).costModel;
  expect(measured.budgetTokens).toBeGreaterThanOrEqual(guard.artifact.maxLength);
  expect(measured.tokenMs).toBeGreaterThan(0);
  expect((await start()).costModel).toEqual(measured);
  expect((await start({ costModel: UNMEASURED })).costModel).toEqual(UNMEASURED);

  const file = join(guard.compiled.dir, 'cost-cpu-0.json');
  const kept = JSON.parse(await readFile(file, 'utf8')) as { processor: string };
  await writeFile(file, JSON.stringify({ ...kept, processor: 'another one' }));
  expect((await start()).costModel).toEqual(UNMEASURED);
  await writeFile(file, '{"processor":');
  expect((await start()).costModel).toEqual(UNMEASURED);
});

test('an engine process that has died is replaced by whoever asks whether it is ready', async () => {
  const { compiled } = guard;
  const moved = `${compiled.modelFile}.moved`;
  const scorer = await start();
  /** The id of the new engine process, once it runs. */
  const replaced = async (dead: number): Promise<number> => {
    process.kill(dead, 'SIGKILL');
    await expect
      .poll(async () => {
        await scorer.ready();
        return (await scorer.enginePid()) ?? dead;
      })
      .not.toBe(dead);
    return (await scorer.enginePid()) ?? 0;
  };
  const second = await replaced((await scorer.enginePid()) ?? 0);
  expect(isRunning(second)).toBe(true);

  await rename(compiled.modelFile, moved);
  await expect(replaced(second)).rejects.toThrow('the model did not load');
  await rename(moved, compiled.modelFile);
  await scorer.ready();
});

test('close ends the engine process', async () => {
  const scorer = await start();
  const pid = (await scorer.enginePid()) ?? 0;
  expect(isRunning(pid)).toBe(true);
  await scorer.close();
  expect(isRunning(pid)).toBe(false);
  await expect(scorer.score(rows)).rejects.toThrow('the engine is closed');
});

test('a device that is not there is refused before anything is loaded, with what to do', async () => {
  const device = { kind: 'cuda', index: 99 } as const;
  const starting = Scorer.start({ ...guard, device });
  await expect(starting).rejects.toBeInstanceOf(UserError);
  await expect(starting).rejects.toThrow('device cuda:99 is not usable: ');
  await expect(starting).rejects.toMatchObject({ hint: expect.any(String) as string });
});

test('costs are measured once enough tokens are scored, and the batches after that are planned with them', async () => {
  const { dir } = guard.compiled;
  for (const name of await readdir(dir)) if (name.startsWith('cost')) await rm(join(dir, name));
  const scorer = await start({ calibrateAfter: 50 });
  await scorer.score(rows.slice(0, 1));
  expect(scorer.costModel).toEqual(UNMEASURED);
  await scorer.score(rows);
  await expect.poll(() => scorer.costModel).not.toEqual(UNMEASURED);
  expect((await scorer.score(rows)).every(({ error }) => error === undefined)).toBe(true);
});
