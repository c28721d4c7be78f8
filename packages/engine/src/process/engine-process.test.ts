import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openGuard } from '../compiled/open-guard.js';
import { CPU } from '../devices/device.js';
import { isRunning } from '../testing/is-running.js';
import { batchOf, slowBatch } from '../testing/serial-engine.js';
import { EngineDiedError, EngineProcess, RecalledError } from './engine-process.js';

const temp = tempDir();
let modelFile = '';
let engine: EngineProcess;

beforeAll(async () => {
  const guard = await openGuard(goldenDirs('llama-residual').artifact, { cacheDir: join(temp, 'cache') });
  modelFile = guard.compiled.modelFile;
  engine = await EngineProcess.start({
    modelFile,
    scores: 'batches',
    task: 'content',
    device: CPU,
    threads: 1,
  });
});

afterAll(() => engine.close());

function signal({ pid }: EngineProcess, name: NodeJS.Signals): void {
  if (pid === undefined) throw new Error('the engine process has no number');
  process.kill(pid, name);
}

test('one score a row, and the same whatever came before', async () => {
  const { scores, runMs } = await engine.run(batchOf(3, 20));
  expect(scores[0]).toHaveLength(3);
  expect(runMs).toBeGreaterThan(0);
  await engine.run(batchOf(1, 300));
  expect((await engine.run(batchOf(3, 20))).scores).toEqual(scores);
});

test('passes that overlap are answered each with its own', async () => {
  const alone = [];
  for (const length of [3, 50, 7]) alone.push((await engine.run(batchOf(2, length))).scores);
  const together = await Promise.all([3, 50, 7].map((length) => engine.run(batchOf(2, length))));
  expect(together.map(({ scores }) => scores)).toEqual(alone);
});

test('a request that waits can be asked back, one that is over cannot', async () => {
  const batch = batchOf(10, 5);
  const recalls = [0, 1, 2].map(() => new AbortController());
  // It receives all pending messages at once: requests and recalls.
  signal(engine, 'SIGSTOP');
  const [first, asked, last] = recalls.map(({ signal }) => engine.run(batch, signal));
  recalls[1]?.abort();
  signal(engine, 'SIGCONT');
  await expect(asked).rejects.toThrow(RecalledError);
  expect((await first)?.scores[0]).toHaveLength(10);
  expect((await last)?.scores[0]).toHaveLength(10);
  recalls[0]?.abort();
  await expect(engine.run(batch, AbortSignal.abort())).rejects.toThrow(RecalledError);
  expect((await engine.run(batchOf(1, 4))).scores).toHaveLength(1);
});

test("the parent's event loop is free while a pass runs", async () => {
  const { batch, runMs } = await slowBatch(engine);
  let ticks = 0;
  const timer = setInterval(() => ticks++, runMs / 50);
  await engine.run(batch);
  clearInterval(timer);
  // In the parent, a pass leaves room for one more or none.
  expect(ticks).toBeGreaterThan(10);
});

test('a pass that fails is told, and the next one works', async () => {
  await expect(
    engine.run({ type: 'batch', tokenIds: Int32Array.of(5, 1_000_000), lengths: Int32Array.of(2) }),
  ).rejects.toThrow(/Gather/);
  await expect(
    engine.run({ type: 'batch', tokenIds: Int32Array.of(5), lengths: Int32Array.of(0) }),
  ).rejects.toThrow('row 0 has no tokens');
  expect(engine.alive).toBe(true);
  expect((await engine.run(batchOf(1, 4))).scores).toHaveLength(1);
});

test('a model that does not load is told with its reason, and the process ends', async () => {
  const broken = join(temp, 'model.onnx');
  await writeFile(broken, 'this is no model');
  const children = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === 'ProcessWrap').length;
  const before = children();
  await expect(
    EngineProcess.start({ modelFile: broken, scores: 'batches', task: 'content', device: CPU, threads: 1 }),
  ).rejects.toThrow(/the model did not load: .*model\.onnx/);
  await expect.poll(children).toBe(before);
});

test('a process killed in mid-run: what it had is rejected, and so is what comes later', async () => {
  const victim = await EngineProcess.start({
    modelFile,
    scores: 'batches',
    task: 'content',
    device: CPU,
    threads: 1,
  });
  const { batch } = await slowBatch(victim);
  const first = victim.run(batchOf(1, 4));
  const running = victim.run(batch);
  await first;
  // The process may be stopped during the next pass or after it, but not after one sent once it was stopped.
  signal(victim, 'SIGSTOP');
  const sure = victim.run(batch);
  victim.kill();
  await expect(sure).rejects.toThrow(EngineDiedError);
  const outcome = await running.then(
    ({ scores }) => scores[0]?.length,
    (error: unknown) => error,
  );
  if (outcome !== 10) expect(outcome).toBeInstanceOf(EngineDiedError);
  await victim.exited;
  expect(victim.alive).toBe(false);
  await expect(victim.run(batchOf(1, 1))).rejects.toThrow('the engine process died (signal SIGKILL)');
});

test('close ends the process', async () => {
  const closing = await EngineProcess.start({
    modelFile,
    scores: 'batches',
    task: 'content',
    device: CPU,
    threads: 1,
  });
  await closing.close();
  expect(isRunning(closing.pid ?? 0)).toBe(false);
  await expect(closing.run(batchOf(1, 1))).rejects.toThrow(EngineDiedError);
});

test('a parent that is killed leaves no engine process behind', async () => {
  const module = new URL('../../dist/process/engine-process.js', import.meta.url).href;
  const script = `
    import { EngineProcess } from ${JSON.stringify(module)};
    const engine = await EngineProcess.start(${JSON.stringify({ modelFile, scores: 'batches', task: 'content', device: CPU, threads: 1 })});
    console.log(engine.pid);`;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [printed] = (await once(parent.stdout, 'data')) as [Buffer];
  const pid = Number(printed.toString());
  expect(isRunning(pid)).toBe(true);
  parent.kill('SIGKILL');
  await expect.poll(() => isRunning(pid)).toBe(false);
});
