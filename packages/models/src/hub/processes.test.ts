import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { HubServer, hashOf } from '../testing/index.js';

const WEIGHTS = 'siren.safetensors';
const content = randomBytes(400_000);
const hash = hashOf(WEIGHTS, content);
const config = Buffer.from('{}');
let home = '';
let hub: HubServer;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-processes-'));
  const files = new Map<string, Uint8Array>([
    ['siren_config.json', config],
    [WEIGHTS, content],
  ]);
  hub = await HubServer.start({ 'lab/x': { files } });
});

afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

/** A process that fetches lab/x and prints the path of its weights. Its locks expire after a second. */
function fetching(): ChildProcess & { stdout: NodeJS.ReadableStream } {
  const module = new URL('../../dist/resolve/resolve-guard.js', import.meta.url).href;
  const script = `
    import { resolveArtifact } from ${JSON.stringify(module)};
    const lock = { beat: 100, poll: 50, patience: 20 };
    const { artifact } = await resolveArtifact('lab/x', { timing: { lock } });
    console.log(artifact.weights);`;
  return spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { PATH: process.env.PATH, HF_HOME: home, HF_ENDPOINT: hub.endpoint },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

function stalling(): { until: Promise<void>; release: () => void } {
  let release = (): void => {};
  const until = new Promise<void>((resolve) => {
    release = resolve;
  });
  return { until, release };
}

test('two processes at once fetch each file once', async () => {
  const { until, release } = stalling();
  hub.fail(new RegExp(hash), { stall: { after: 100_000, until } });
  const both = [fetching(), fetching()];
  const outputs = both.map((child) => text(child.stdout));
  // Both have requested the commit, and one of them is downloading.
  await expect.poll(() => hub.count(/revision/) === 2 && hub.count(new RegExp(hash)) === 1).toBe(true);
  release();
  const [first, second] = await Promise.all(outputs);
  expect(first).toBe(second);
  expect((await readFile(first?.trim() ?? '')).equals(content)).toBe(true);
  expect(hub.count(new RegExp(`^/${hash}`))).toBe(1);
  expect(hub.count(/resolve\/.*siren_config/)).toBe(1);
});

test('what a process fetched before it was killed is not fetched again', async () => {
  const { until, release } = stalling();
  hub.fail(new RegExp(hash), { stall: { after: 200_000, until } });
  const killed = fetching();
  const part = join(home, 'hub', 'models--lab--x', 'blobs', `${hash}.incomplete`);
  await expect.poll(async () => (await readFile(part).catch(() => Buffer.alloc(0))).length).toBe(200_000);
  killed.kill('SIGKILL');
  await once(killed, 'close');
  release();
  const next = fetching();
  const file = (await text(next.stdout)).trim();
  expect((await readFile(file)).equals(content)).toBe(true);
  const ranges = hub.requests.filter(({ server }) => server === 'store').map(({ headers }) => headers.range);
  expect(ranges).toEqual([undefined, 'bytes=200000-']);
});
