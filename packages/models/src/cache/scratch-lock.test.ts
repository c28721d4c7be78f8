import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withScratchLock } from './scratch-lock.js';

const timing = { beat: 50, poll: 20, patience: 25 };
let dir = '';
let lock = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-lock-'));
  lock = join(dir, 'x.lock');
});

afterEach(() => rm(dir, { recursive: true }));

test('one works at a time, each in an own scratch directory, and nothing is left', async () => {
  let inside = 0;
  let most = 0;
  const scratches = new Set<string>();
  const work = async (scratch: string) => {
    inside += 1;
    most = Math.max(most, inside);
    scratches.add(scratch);
    await writeFile(join(scratch, 'part'), 'x');
    await new Promise((resolve) => setTimeout(resolve, 30));
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withScratchLock(lock, work, { timing })));
  expect(most).toBe(1);
  expect(scratches.size).toBe(3);
  expect(await readdir(dir)).toEqual([]);
});

test('a failure releases the lock and removes the scratch directory', async () => {
  const failing = withScratchLock(lock, () => Promise.reject(new Error('no luck')), { timing });
  await expect(failing).rejects.toThrow('no luck');
  expect(await readdir(dir)).toEqual([]);
});

test('a living holder is waited for, however long it takes', async () => {
  const order: string[] = [];
  const slow = withScratchLock(
    lock,
    async () => {
      await new Promise((resolve) => setTimeout(resolve, 3 * timing.poll * timing.patience));
      order.push('slow');
    },
    { timing },
  );
  await expect.poll(() => readdir(dir)).toContain('x.lock');
  const waits: string[] = [];
  await withScratchLock(lock, async () => order.push('next'), { timing, onWait: () => waits.push('wait') });
  await slow;
  expect(order).toEqual(['slow', 'next']);
  expect(waits).toEqual(['wait']);
});

test('a holder killed by SIGKILL is noticed, and its leftovers are removed', async () => {
  const module = new URL('../../dist/cache/scratch-lock.js', import.meta.url).href;
  const script = `
    import { withScratchLock } from ${JSON.stringify(module)};
    await withScratchLock(${JSON.stringify(lock)}, async () => {
      console.log('held');
      await new Promise((resolve) => setTimeout(resolve, 600_000));
    });`;
  const holder = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  holder.kill('SIGKILL');
  await once(holder, 'close');
  expect(await readdir(dir)).toHaveLength(2);
  expect(await withScratchLock(lock, async () => 'done', { timing })).toBe('done');
  expect(await readdir(dir)).toEqual([]);
});

test('an abort ends the waiting', async () => {
  await writeFile(lock, 'somebody');
  const controller = new AbortController();
  const waiting = withScratchLock(lock, async () => 'never', {
    signal: controller.signal,
    onWait: () => controller.abort(),
  });
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
});

test('a directory that does not exist is told', async () => {
  await expect(withScratchLock(join(dir, 'no', 'x.lock'), async () => 1)).rejects.toMatchObject({
    code: 'ENOENT',
  });
});
