import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenDirs } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { filesBelow, read } from '../infra/infra-files.js';
import { foundProgram, scratchDir } from '../setup/provided.js';
import { ROOT, writeJsonl } from '../setup/tocsin.js';

const COMMAND = join(ROOT, 'apps', 'tocsin', 'bin', 'tocsin.js');
const { artifact, backbone } = goldenDirs('qwen3-residual');
const GUARD = ['--guard', artifact, '--backbone', backbone];
/** Files and host names that onnxruntime's telemetry uses. */
const TELEMETRY = /DeveloperTools|\.onnxruntime|mat-debug|\/\.ses\b|events\.data|OneCollector/;

interface Traced {
  output: string;
  /** Files and addresses that the command and its child processes opened or connected to. */
  calls: string[];
  /** Files left in its home and in the temporary directory. */
  left: string[];
}

/** Runs a program with an empty database, home and temporary directory, under strace. */
async function traced(args: string[]): Promise<Traced> {
  const dir = scratchDir();
  const [home, tmp] = ['home', 'tmp'].map((name) => join(dir, name)) as [string, string];
  for (const place of [home, tmp]) mkdirSync(place, { mode: 0o777 });
  const log = join(dir, 'calls');
  const {
    DATABASE_URL: _,
    REDIS_URL: __,
    XDG_CACHE_HOME: ___,
    ORT_DISABLE_TELEMETRY: ____,
    ...rest
  } = process.env;
  const calls = [
    '-f',
    '-qq',
    '-s',
    '256',
    '-e',
    'trace=openat,open,mkdir,mkdirat,connect,sendto,sendmmsg',
    '-o',
    log,
  ];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(
      foundProgram('strace'),
      [...calls, process.execPath, ...args],
      {
        env: { ...rest, HOME: home, TMPDIR: tmp, HF_HUB_OFFLINE: '1', TOCSIN_DATA: join(dir, 'data') },
        cwd: ROOT,
        maxBuffer: 2 ** 26,
      },
      (error, stdout, stderr) => (error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout)),
    );
  });
  return {
    output,
    calls: readFileSync(log, 'utf8').split('\n'),
    left: [home, tmp].flatMap((place) => readdirSync(place, { recursive: true }).map(String)),
  };
}

/** Packets to a name server, and connections to other machines. */
const outward = (calls: readonly string[]): string[] =>
  calls.filter(
    (call) =>
      /htons\(53\)|sin6?_port=htons\(53\)/.test(call) ||
      (/connect\(/.test(call) && /AF_INET/.test(call) && !/"(127\.[\d.]+|::1|::ffff:127[\d.]+)"/.test(call)),
  );

function expectSilence({ calls, left }: Traced): void {
  expect(calls.length).toBeGreaterThan(100);
  expect(calls.filter((call) => TELEMETRY.test(call))).toEqual([]);
  expect(left.filter((file) => TELEMETRY.test(file))).toEqual([]);
  expect(outward(calls)).toEqual([]);
}

test('scoring a corpus sends nothing, and looks up nobody', async () => {
  const corpus = await writeJsonl(join(scratchDir(), 'rows.jsonl'), [{ id: 'a', text: 'a row of its own' }]);
  const run = await traced([COMMAND, 'score', corpus, ...GUARD]);
  expect(JSON.parse(run.output)).toMatchObject({ key: 'a', score: expect.any(Number) });
  // The library was loaded by its engine process.
  expect(run.calls.some((call) => call.includes('libonnxruntime.so'))).toBe(true);
  expectSilence(run);
});

test('trace sends nothing either', async () => {
  const run = await traced([COMMAND, 'trace', 'a text', ...GUARD]);
  expect(run.calls.some((call) => call.includes('libonnxruntime.so'))).toBe(true);
  expectSilence(run);
});

test('nor does the library, in the main thread of a program or in another', async () => {
  const library = import.meta.resolve('@tocsin/engine');
  const file = join(scratchDir(), 'program.mjs');
  writeFileSync(
    file,
    `import { Worker, isMainThread } from 'node:worker_threads';
import { Guard, probeDevice, parseDevice, runtimeFacts } from ${JSON.stringify(library)};
const guard = await Guard.fromPretrained(${JSON.stringify(artifact)}, { backbone: ${JSON.stringify(backbone)} });
console.log((await guard.score('a text')).score);
await guard.close();
await probeDevice(parseDevice('cpu'));
if (isMainThread) {
  await runtimeFacts();
  await new Promise((resolve, reject) => new Worker(new URL(import.meta.url)).once('exit', resolve).once('error', reject));
}
`,
  );
  const run = await traced([file]);
  expect(run.output.trim().split('\n').map(Number)).toEqual([expect.any(Number), expect.any(Number)]);
  expectSilence(run);
});

test('nothing loads onnxruntime but the module that turns its telemetry off first', () => {
  const sources = ['packages', 'apps', 'test/src'].flatMap((dir) => filesBelow(dir, /\.ts$/));
  expect(sources.length).toBeGreaterThan(500);
  const direct = sources.filter((file) => /(from|import) ?\(?'onnxruntime-node'/.test(read(file)));
  expect(direct).toEqual(['packages/engine/src/process/onnxruntime.ts']);
  const [first = ''] = read('packages/engine/src/process/onnxruntime.ts').match(/^import .*$/m) ?? [];
  expect(first).toBe("import './onnxruntime-telemetry.js';");
});
