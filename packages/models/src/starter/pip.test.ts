import { expect, test } from 'vitest';
import { runCommand } from './pip.js';

const node = (script: string, signal?: AbortSignal) =>
  runCommand(process.execPath, ['-e', script], { env: process.env, signal });

test('exit code and both outputs come back, without colours', async () => {
  expect(
    await node("console.log('\\x1b[31mred\\x1b[0m'); console.error('bad'); process.exitCode = 3"),
  ).toEqual({ exitCode: 3, signal: undefined, stdout: 'red\n', stderr: 'bad\n' });
});

test('of a long output the end is kept', async () => {
  const { stdout } = await node("process.stdout.write('x'.repeat(1_000_000) + 'end')");
  expect(stdout.length).toBeLessThan(100_000);
  expect(stdout.endsWith('end')).toBe(true);
});

test('a command that is not there is a system error', async () => {
  await expect(runCommand('/no-such-directory/command', [], { env: process.env })).rejects.toMatchObject({
    code: 'ENOENT',
  });
});

test('an abort kills it and is what comes out', async () => {
  const controller = new AbortController();
  const running = node('setTimeout(() => {}, 600_000)', controller.signal);
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  await expect(node('', controller.signal)).rejects.toThrow('enough');
});
