import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { commandLine, identify, identifySelf, isRunning, parsePs, parseStat } from './process-identity.js';

let child: ChildProcess | undefined;

afterEach(async () => {
  if (child?.kill('SIGKILL')) await once(child, 'exit');
  child = undefined;
});

test('we run, and are not another process of the same number', async () => {
  const self = await identifySelf();
  expect(await isRunning(self)).toBe(true);
  expect(await isRunning(`${process.pid}@1`)).toBe(false);
});

test('a process that ended does not run', async () => {
  child = spawn('sleep', ['600']);
  const identity = await identify(child.pid ?? 0);
  expect(identity).toMatch(new RegExp(`^${child.pid}@`));
  expect(await commandLine(child.pid ?? 0)).toContain('sleep');
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(await identify(child.pid ?? 0)).toBeUndefined();
  expect(await commandLine(child.pid ?? 0)).toBe('');
});

test('a zombie does not run', async () => {
  // The shell becomes sleep, which never asks how its child ended.
  child = spawn('sh', ['-c', 'sleep 600 & echo $!; exec sleep 600'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (child.stdout === null) throw new Error('no stdout');
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  const pid = Number(line);
  const identity = await identify(pid);
  expect(identity).toBeDefined();
  process.kill(pid, 'SIGKILL');
  await expect.poll(() => identify(pid)).toBeUndefined();
  expect(() => process.kill(pid, 0)).not.toThrow();
});

test('what is no identity does not run', async () => {
  for (const text of ['', 'free', '0@1', '-1@1', 'x@y']) expect(await isRunning(text)).toBe(false);
});

test('a command name may hold blanks and brackets', () => {
  fc.assert(
    fc.property(fc.string(), (name) => {
      const tail = Array.from({ length: 30 }, (_, index) => index + 3).join(' ');
      expect(parseStat(`17 (${name}) S ${tail}\n`)).toEqual({ state: 'S', start: '21' });
    }),
  );
  expect(parseStat('')).toBeUndefined();
});

test('the output of ps', () => {
  expect(parsePs('Ss   Mon Nov 24 06:44:00 2025\n')).toEqual({
    state: 'Ss',
    start: 'Mon_Nov_24_06:44:00_2025',
  });
  expect(parsePs('')).toBeUndefined();
});
