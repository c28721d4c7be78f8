import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { openGuard } from '../compiled/open-guard.js';
import { CPU } from '../devices/device.js';
import { isRunning } from '../testing/is-running.js';
import { batchOf, slowBatch } from '../testing/serial-engine.js';
import { Engine } from './engine.js';
import { EngineDiedError } from './engine-process.js';

const temp = tempDir();
let modelFile = '';
const engines: Engine[] = [];

beforeAll(async () => {
  const guard = await openGuard(goldenDirs('llama-residual').artifact, { cacheDir: join(temp, 'cache') });
  modelFile = guard.compiled.modelFile;
});

afterEach(async () => {
  await Promise.all(engines.splice(0).map((engine) => engine.close()));
});

function newEngine(file = modelFile): { engine: Engine; restarts: string[] } {
  const restarts: string[] = [];
  const engine = new Engine(
    { modelFile: file, scores: 'batches', task: 'content', device: CPU, threads: 1 },
    { onRestart: (reason) => restarts.push(reason) },
  );
  engines.push(engine);
  return { engine, restarts };
}

test('no process runs before the first use, and one for many', async () => {
  const { engine } = newEngine();
  expect(await engine.pid()).toBeUndefined();
  await Promise.all([engine.start(), engine.run(batchOf(1, 3)), engine.run(batchOf(2, 3))]);
  const pid = await engine.pid();
  expect(isRunning(pid ?? 0)).toBe(true);
  await engine.start();
  expect(await engine.pid()).toBe(pid);
});

test('a process killed in mid-run costs that run, and the next one has another process', async () => {
  const { engine, restarts } = newEngine();
  const expected = await engine.run(batchOf(2, 9));
  const first = (await engine.pid()) ?? 0;
  const { batch } = await slowBatch(engine);
  const running = engine.run(batch);
  process.kill(first, 'SIGKILL');
  await expect(running).rejects.toThrow(EngineDiedError);
  expect((await engine.run(batchOf(2, 9))).scores).toEqual(expected.scores);
  expect(await engine.pid()).not.toBe(first);
  expect(restarts).toEqual([`engine process ${first} ended (signal SIGKILL)`]);
});

test('many that wait for a new process share one', async () => {
  const { engine } = newEngine();
  await engine.start();
  process.kill((await engine.pid()) ?? 0, 'SIGKILL');
  const runs = await Promise.allSettled([1, 2, 3].map((rows) => engine.run(batchOf(rows, 4))));
  const again = await Promise.all(runs.map((_, i) => engine.run(batchOf(i + 1, 4))));
  expect(again.map(({ scores }) => scores[0]?.length)).toEqual([1, 2, 3]);
  const children = () => process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap');
  await expect.poll(children).toHaveLength(1);
});

test('a model that does not load says why at every try, and loads when it is mended', async () => {
  const moved = `${modelFile}.moved`;
  await rename(modelFile, moved);
  const { engine } = newEngine();
  try {
    for (let attempt = 0; attempt < 4; attempt++) {
      await expect(engine.run(batchOf(1, 3))).rejects.toThrow('the model did not load');
    }
  } finally {
    await rename(moved, modelFile);
  }
  expect((await engine.run(batchOf(1, 3))).scores).toHaveLength(1);
});

test('close ends the process, tells nobody of a restart, and nothing runs afterwards', async () => {
  const { engine, restarts } = newEngine();
  await engine.start();
  const pid = (await engine.pid()) ?? 0;
  await engine.close();
  await engine.close();
  expect(isRunning(pid)).toBe(false);
  expect(restarts).toEqual([]);
  await expect(engine.run(batchOf(1, 3))).rejects.toThrow('the engine is closed');
});
