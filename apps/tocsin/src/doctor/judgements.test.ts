import { expect, test } from 'vitest';
import { allowedCores, judgeMemory, judgeNode, judgeProcessor } from './checks/machine.js';
import { gpuLines } from './checks/runtime.js';
import { judgeRedis } from './checks/servers.js';
import { checkUp, type Finding, note, ok, problem } from './checkup.js';
import { findingText } from './command.js';

const verdictOf = ({ verdict }: Finding): string => verdict;

test('Node.js from 20 on', () => {
  expect(['18.19.1', '20.0.0', '24.1.0'].map((version) => verdictOf(judgeNode(version)))).toEqual([
    'problem',
    'ok',
    'ok',
  ]);
});

test('a processor: what it has, and what it lacks', () => {
  const flags = (...names: string[]): Set<string> => new Set(names);
  expect(judgeProcessor('X', 2, flags('avx2'))).toEqual(ok('processor', 'X, 2 cores, AVX2'));
  expect(judgeProcessor('X', 1, flags('avx2', 'avx512f', 'avx512_vnni')).says).toBe(
    'X, 1 core, AVX2, AVX-512, VNNI',
  );
  expect(judgeProcessor('X', 0.5, flags('sse2')).verdict).toBe('note');
  expect(judgeProcessor('Apple', 8, undefined).verdict).toBe('ok');
});

test('memory: of the machine, or of the container', () => {
  expect(judgeMemory(8e9, 4e9, undefined).verdict).toBe('ok');
  expect(judgeMemory(8e9, 4e9, 9e18)).toEqual(ok('memory', '8.0 GB, 4.0 GB free'));
  expect(judgeMemory(8e9, 4e9, 5e8)).toMatchObject({
    verdict: 'note',
    says: expect.stringContaining('limited to'),
  });
  expect(judgeMemory(1e9, 5e8, undefined).verdict).toBe('note');
});

test('Redis: one that may drop parcels cannot be used, one that forgets can', () => {
  const good = { server: 'Valkey 8.0.1', evictionPolicy: 'noeviction', persistent: true };
  expect(judgeRedis(good).verdict).toBe('ok');
  expect(judgeRedis({ ...good, persistent: false })).toMatchObject({ verdict: 'note' });
  expect(judgeRedis({ ...good, evictionPolicy: 'allkeys-lru' })).toMatchObject({
    verdict: 'problem',
    todo: expect.stringContaining('noeviction'),
  });
});

test("nvidia-smi's lines", () => {
  expect(gpuLines('NVIDIA L4, 550.54.15, 23034 MiB\nNVIDIA L4, 550.54.15, 23034 MiB\n')).toEqual([
    ok('gpu 0', 'NVIDIA L4, driver 550.54.15, 23034 MiB'),
    ok('gpu 1', 'NVIDIA L4, driver 550.54.15, 23034 MiB'),
  ]);
});

test('a check that breaks is a finding, and the others go on', async () => {
  const shown: string[] = [];
  const findings = await checkUp(
    [
      { subject: 'a', look: () => [ok('a', 'fine')] },
      {
        subject: 'b',
        look: () => {
          throw new Error('no such luck');
        },
      },
      { subject: 'c', look: async () => [problem('c', 'gone', 'bring it back'), note('c', 'odd', 'look')] },
    ],
    { env: {} },
    ({ subject }) => shown.push(subject),
  );
  expect(shown).toEqual(['a', 'b', 'c', 'c']);
  expect(findings[1]).toEqual(note('b', 'could not be checked: no such luck', 'Please report this.'));
});

test('a line each, and what to do under it', () => {
  expect(findingText(ok('queue', 'in Postgres'))).toContain('ok       queue           in Postgres');
  expect(
    findingText(problem('queue', 'gone', 'bring it back'))
      .split('\n')[1]
      ?.trim(),
  ).toBe('bring it back');
});

test.each([
  ['max 100000', undefined],
  ['150000 100000', 1.5],
  ['-1\n 100000\n', undefined],
  ['200000\n 100000\n', 2],
  [' ', undefined],
])('of the CPU limit %j the cores are %s', (text, expected) => {
  expect(allowedCores(text)).toBe(expected);
});
