import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenCases, goldenDirs, goldenTrajectories } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { tocsin } from '../setup/tocsin.js';

const cacheDir = scratchDir();

const guardOf = (name: Parameters<typeof goldenDirs>[0]): string[] => {
  const { artifact, backbone } = goldenDirs(name);
  return ['--guard', artifact, '--backbone', backbone, '--cache-dir', cacheDir];
};

test('a text from the command line, from standard input and from a file has the reference score', async () => {
  const { score, input } = goldenCases('qwen3-residual').find(({ input }) => input.text?.trim()) ?? {};
  const text = input?.text ?? '';
  const file = join(scratchDir(), 'text.txt');
  await writeFile(file, text);
  for (const [args, stdin] of [
    [[text], ''],
    [['-'], text],
    [['--file', file], ''],
  ] as const) {
    const ran = await tocsin(['trace', ...args, ...guardOf('qwen3-residual'), '--json'], { stdin });
    expect(ran.exitCode).toBe(0);
    const trace = JSON.parse(ran.stdout.toString()) as { score: number; text: string };
    expect(trace.text).toBe(text);
    expect(trace.score).toBeCloseTo(score ?? Number.NaN, 4);
  }
});

test('a trajectory out of a file, as messages with tools and as messages alone', async () => {
  const file = join(scratchDir(), 'trajectory.json');
  const [{ input, score } = { input: undefined, score: Number.NaN }] = goldenTrajectories();
  await writeFile(file, JSON.stringify(input));
  const ran = await tocsin(['trace', '--messages', file, ...guardOf('qwen3-agent'), '--json']);
  expect((JSON.parse(ran.stdout.toString()) as { score: number }).score).toBeCloseTo(score, 4);
  await writeFile(file, JSON.stringify(input?.messages));
  expect((await tocsin(['trace', '--messages', file, ...guardOf('qwen3-agent')])).exitCode).toBe(0);
});

test('in a pipe it is a line a token, and the verdict', async () => {
  const ran = await tocsin(['trace', 'How do I bake bread?', ...guardOf('qwen3-residual')]);
  const lines = ran.stdout.toString().trimEnd().split('\n');
  expect(lines[0]).toMatch(/^0\.\d{4} {2}"/);
  expect(lines.at(-1)).toMatch(/^score 0\.\d{4}: (not )?harmful at 0\.5/);
});

test.each<[string, string[], string]>([
  ['no text', [], 'no text is given'],
  ['two texts', ['one', '--file', 'two.txt'], 'more than one way'],
  ['a file that is not there', ['--file', 'nowhere.txt'], 'cannot read nowhere.txt'],
])('%s is a mistake in words', async (_what, args, message) => {
  const ran = await tocsin(['trace', ...args, ...guardOf('qwen3-residual')]);
  expect(ran.exitCode).toBe(1);
  expect(ran.stderr).toContain(message);
  expect(ran.stderr).not.toContain('    at ');
});
