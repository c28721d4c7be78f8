import { execFile } from 'node:child_process';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { goldenDirs } from '@tocsin/siren/testing';
import { beforeAll, describe, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { ROOT } from '../setup/tocsin.js';

const run = promisify(execFile);

/** Long-term support releases, from npm packages that contain their binaries. */
const NODES = ['22.23.3', '24.21.0'];

/** The tarballs, in the order of `infra/npm/pack.js`: the command line, the library. */
let tarballs: { tocsin: string; engine: string };

beforeAll(async () => {
  const directory = join(scratchDir(), 'npm');
  await run(process.execPath, [join(ROOT, 'infra', 'npm', 'pack.js'), directory]);
  const found = async (name: RegExp): Promise<string> =>
    join(directory, (await readdir(directory)).find((file) => name.test(file)) ?? 'missing');
  tarballs = { tocsin: await found(/^tocsin-\d/), engine: await found(/^tocsin-engine-\d/) };
});

test('publint and attw find nothing', async () => {
  for (const tarball of Object.values(tarballs)) await tool('publint', ['run', tarball, '--strict']);
  for (const tarball of Object.values(tarballs)) await tool('attw', [tarball, '--profile', 'esm-only']);
});

test('no tests, source maps or build information are packed', async () => {
  for (const tarball of Object.values(tarballs)) {
    const { stdout } = await run('tar', ['tzf', tarball], { maxBuffer: 64 << 20 });
    const ours = stdout.split('\n').filter((file) => !file.includes('/onnxruntime-node/'));
    expect(
      ours.filter(
        (file) => /\.test\.|\.map$|tsbuildinfo|\/testing\/|\.tsx?$/.test(file) && !file.endsWith('.d.ts'),
      ),
    ).toEqual([]);
    expect(ours).toEqual(
      expect.arrayContaining(['package/LICENSE', 'package/README.md', 'package/package.json']),
    );
  }
});

describe('the command line, installed into an empty directory', () => {
  let prefix: string;
  beforeAll(async () => {
    prefix = await installed(tarballs.tocsin, ['--global']);
  });

  test.each(NODES)('scores the sample corpus on Node %s', async (version) => {
    const directory = scratchDir();
    const { stdout } = await onNode(version, [join(prefix, 'bin', 'tocsin'), 'quickstart'], {
      cwd: directory,
      env: { ...process.env, TOCSIN_DATA: join(directory, 'data') },
    });
    expect(stdout).toContain('The highest scores:');
    const scores = await readFile(join(directory, 'out', 'quickstart.jsonl'), 'utf8');
    expect(scores.trim().split('\n')).toHaveLength(201);
  });

  test('its version is that of the package', async () => {
    const { stdout } = await run(join(prefix, 'bin', 'tocsin'), ['--version']);
    const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string };
    expect(stdout.trim()).toBe(version);
  });
});

describe('the library, installed into an empty project', () => {
  let project: string;
  const { artifact, backbone } = goldenDirs('qwen3-residual');
  beforeAll(async () => {
    project = await installed(tarballs.engine, []);
    await mkdir(join(project, 'src'), { recursive: true });
  });

  test.each(NODES)('scores a text on Node %s', async (version) => {
    const file = join(project, `score-${version}.mjs`);
    await writeFile(
      file,
      `import { Guard } from '@tocsin/engine';
const guard = await Guard.fromPretrained(process.argv[2], { backbone: process.argv[3] });
const { score } = await guard.score({ text: 'How do I bake bread?' });
const [batched] = await guard.scoreBatch(['How do I bake bread?']);
console.log(JSON.stringify({ score, batched: batched.score }));
await guard.close();
`,
    );
    const { stdout } = await onNode(version, [file, artifact, backbone], { cwd: project });
    const { score, batched } = JSON.parse(stdout) as { score: number; batched: number };
    expect(score).toBeGreaterThan(0);
    expect(score).toBeLessThan(1);
    expect(Math.abs(score - batched)).toBeLessThan(1e-4);
  });

  test("the README's example type-checks, libraries included", async () => {
    const readme = await readFile(join(project, 'node_modules', '@tocsin', 'engine', 'README.md'), 'utf8');
    const [, example = ''] = /```ts\n([\s\S]*?)```/.exec(readme) ?? [];
    expect(example).toContain('Guard.fromPretrained');
    await writeFile(join(project, 'src', 'example.ts'), example);
    await writeFile(join(project, 'package.json'), JSON.stringify({ type: 'module' }));
    const options = ['--module', 'nodenext', '--target', 'es2023', '--strict', '--noEmit', '--types', 'node'];
    const types = join(project, 'node_modules', '@types');
    await mkdir(types, { recursive: true });
    await run('cp', ['-rL', join(ROOT, 'node_modules', '@types', 'node'), join(types, 'node')]);
    await run('cp', [
      '-rL',
      join(ROOT, 'node_modules', 'undici-types'),
      join(project, 'node_modules', 'undici-types'),
    ]);
    await run(join(ROOT, 'node_modules', '.bin', 'tsc'), [...options, 'src/example.ts'], {
      cwd: project,
    }).catch(({ stdout }: { stdout: string }) => expect.unreachable(stdout));
  });
});

/** Installs a tarball as a user would, in a new directory. @returns the directory */
async function installed(tarball: string, options: readonly string[]): Promise<string> {
  const directory = scratchDir();
  const copy = join(directory, 'package.tgz');
  await copyFile(tarball, copy);
  await run('npm', ['install', '--no-audit', '--no-fund', '--prefix', directory, ...options, copy], {
    cwd: directory,
  });
  return directory;
}

async function tool(name: string, args: readonly string[]): Promise<void> {
  await run(join(ROOT, 'node_modules', '.bin', name), args).catch(
    ({ stdout, stderr }: { stdout: string; stderr: string }) =>
      expect.unreachable(`${name}: ${stdout}${stderr}`),
  );
}

async function onNode(
  version: string,
  args: readonly string[],
  options: { cwd: string; env?: NodeJS.ProcessEnv },
): Promise<{ stdout: string }> {
  return run(
    'npm',
    ['exec', '--yes', '--ignore-scripts=false', `--package=node@${version}`, '--', 'node', ...args],
    {
      ...options,
      maxBuffer: 64 << 20,
    },
  );
}
