import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, tocsin, writeJsonl } from '../setup/tocsin.js';

let database: TestDatabase;
let corpus: string;
const dir = scratchDir();

beforeAll(async () => {
  database = await TestDatabase.empty();
  corpus = await writeJsonl(join(dir, 'rows.jsonl'), [{ text: 'one' }, { text: 'two' }]);
});
afterAll(() => database.close());

async function run(...args: string[]): Promise<{ exitCode: number | null; stdout: string; stderr: string }> {
  const { exitCode, stdout, stderr } = await tocsin(args, { env: { DATABASE_URL: database.url } });
  return { exitCode, stdout: String(stdout), stderr };
}

test('a new database is migrated, and then up to date', async () => {
  for (let i = 0; i < 2; i++)
    expect(await run('migrate')).toMatchObject({ exitCode: 0, stdout: 'The tables are up to date.\n' });
});

test('runs without a command lists; each command about a run has its old name, too', async () => {
  expect(await run('runs')).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^No runs yet/) });
  const submitted = await run(
    'submit',
    corpus,
    ...goldenGuard('qwen3-residual'),
    '--quiet',
    '--name',
    'by name',
  );
  expect(submitted).toMatchObject({ exitCode: 0, stdout: '1\n', stderr: '' });

  expect((await run('runs')).stdout).toMatch(/by name/);
  expect((await run('runs', '--json')).stdout).toBe((await run('runs', 'list', '--json')).stdout);
  const shown = await run('runs', 'show', '1', '--json');
  expect(shown.stdout).toBe((await run('run', '1', '--json')).stdout);
  expect(JSON.parse(shown.stdout)).toMatchObject({ name: 'by name', rows: 2, left: 2 });

  expect((await run('runs', 'cancel', '1')).stdout).toBe('Run 1 is cancelled.\n');
  expect((await run('cancel', '1')).stdout).toBe('Run 1 has already ended: it is cancelled.\n');
  expect((await run('runs', 'retry', '1')).stdout).toMatch(/^Run 1: 2 rows wait for a score/);
  expect((await run('retry', '1')).stderr).toMatch(/tocsin runs watch 1/);
  const early = await run('runs', 'export', '1');
  expect(early).toMatchObject({ exitCode: 1, stderr: (await run('export', '1')).stderr });
  await run('runs', 'cancel', '1');
  const asked = await run('runs', 'purge', '--run', '1');
  expect(asked).toMatchObject({ exitCode: 1, stderr: (await run('purge', '--run', '1')).stderr });
  expect((await run('runs', 'watch', '1')).exitCode).toBe(1);
});

test('score --quiet says nothing, unless rows have no score', async () => {
  const guard = goldenGuard('qwen3-residual');
  const out = join(dir, 'scores.jsonl');
  expect(await run('score', corpus, ...guard, '--out', out, '--quiet')).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: '',
  });
  const broken = await writeJsonl(join(dir, 'broken.jsonl'), [{ text: 'three' }, { text: 3 }]);
  const { exitCode, stderr } = await run('score', broken, ...guard, '--out', out, '--quiet');
  expect(exitCode).toBe(2);
  expect(stderr).toMatch(/^Why rows have no score:\n {2}1 row, e\.g\. .*broken\.jsonl, line 2: .*\n$/);
});

test('score without a guard suggests one', async () => {
  const { exitCode, stderr } = await run('score', corpus);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('--guard starter');
});

test('the help lists every command in its group, and no old name', async () => {
  const { stdout } = await run('--help');
  expect(stdout).toMatch(
    /Score:\n {2}score .*\n(.*\n)*Queue runs for workers:\n(.*\n)*Run services:\n(.*\n)*Set up:\n/,
  );
  expect(stdout).not.toMatch(/^ {2}(run|export|cancel|retry|purge) /m);
});

test.each(['bash', 'zsh', 'fish'])('completion for %s is a script that knows the commands', async (shell) => {
  const { exitCode, stdout } = await run('complete', shell);
  expect(exitCode).toBe(0);
  expect(stdout).toContain('tocsin');
  if (shell !== 'bash') return;
  const script = join(dir, 'completion.bash');
  await writeFile(script, stdout);
  await promisify(execFile)('bash', ['-n', script]);
  expect((await run('complete', '--', 'runs', '')).stdout).toMatch(/^list\t.*\n(.*\n)*purge\t/);
});
