import { randomBytes } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { resolveArtifact } from '../resolve/resolve-guard.js';
import type { ModelEvent } from '../resolve/sources.js';
import { type HubRequest, HubServer, hashOf } from '../testing/index.js';

const WEIGHTS = 'siren.safetensors';
const FAST = { retry: { retries: 2, firstWait: 5, longestWait: 10, longestRetryAfter: 5000 } };
const content = randomBytes(300_000);
const hash = hashOf(WEIGHTS, content);
let home = '';
let hub: HubServer;
let events: ModelEvent[];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'tocsin-download-'));
  const files = new Map<string, Uint8Array>([
    ['siren_config.json', Buffer.from('{}')],
    [WEIGHTS, content],
  ]);
  hub = await HubServer.start({ 'lab/x': { files } });
  events = [];
});

afterEach(async () => {
  await hub.close();
  await rm(home, { recursive: true });
});

const blobs = (): string => join(home, 'hub', 'models--lab--x', 'blobs');
const part = (): string => join(blobs(), `${hash}.incomplete`);
const notes = (): string[] => events.filter(({ step }) => step === 'wait').map(({ message }) => message);
const ranges = (): (string | undefined)[] => stored().map(({ headers }) => headers.range);
const stored = (): HubRequest[] => hub.requests.filter(({ server }) => server === 'store');

async function fetchWeights(): Promise<Buffer> {
  const env = { HF_HOME: home, HF_ENDPOINT: hub.endpoint };
  const onEvent = (event: ModelEvent): void => {
    events.push(event);
  };
  const { artifact } = await resolveArtifact('lab/x', { env, onEvent, timing: FAST });
  return readFile(artifact.weights);
}

async function partOf(bytes: Uint8Array): Promise<void> {
  await mkdir(blobs(), { recursive: true });
  await writeFile(part(), bytes);
}

test('a connection that is cut again and again is resumed where it broke off, as long as something comes', async () => {
  hub.fail(new RegExp(hash), { cutAfter: 50_000 }, 4);
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(ranges()).toEqual([undefined, ...[1, 2, 3, 4].map((n) => `bytes=${50_000 * n}-`)]);
  expect(notes()).toHaveLength(4);
  expect(notes()[0]).toMatch(/^Fetching siren\.safetensors was cut \(.*\); again in 1 s$/);
  expect((await readdir(blobs())).filter((name) => name.endsWith('.incomplete'))).toEqual([]);
});

test('without progress the tries end, what came is kept, and the next call goes on from there', async () => {
  hub.fail(new RegExp(hash), { cutAfter: 100_000 }, 1);
  hub.fail(new RegExp(hash), { drop: true }, 3);
  await expect(fetchWeights()).rejects.toThrow(
    /^cannot fetch siren\.safetensors of lab\/x@main: no connection/,
  );
  expect((await readFile(part())).equals(content.subarray(0, 100_000))).toBe(true);
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(ranges().at(-1)).toBe('bytes=100000-');
});

test('5xx and 429 are waited out, the latter for as long as it asks', async () => {
  hub.fail(/resolve\/.*siren\.safetensors/, { status: 500 });
  hub.fail(/resolve\/.*siren\.safetensors/, { status: 429, headers: { 'retry-after': '1' } });
  const started = performance.now();
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(performance.now() - started).toBeGreaterThanOrEqual(990);
  expect(notes()).toHaveLength(2);
});

test('a server that gives the whole file instead of the rest', async () => {
  await partOf(content.subarray(0, 1000));
  hub.fail(new RegExp(hash), { ignoreRange: true });
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(ranges()).toEqual(['bytes=1000-']);
});

test('a part that is the whole needs no request, one that is too long is begun anew', async () => {
  await partOf(content);
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(stored()).toEqual([]);
  await rm(join(home, 'hub'), { recursive: true });
  await partOf(Buffer.concat([content, content]));
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(ranges()).toEqual([undefined]);
});

test('a part that was damaged is noticed by the hash and fetched anew, once', async () => {
  await partOf(Buffer.alloc(200_000));
  expect((await fetchWeights()).equals(content)).toBe(true);
  expect(ranges()).toEqual(['bytes=200000-', undefined]);
  expect(notes()).toEqual([
    'siren.safetensors: the part downloaded earlier is damaged; downloading it again',
  ]);
});

test('wrong bytes are refused and removed: of a large file by sha256, of a small one by git hash', async () => {
  hub.fail(new RegExp(hash), { corrupt: true });
  await expect(fetchWeights()).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(
      `other bytes than the hub promised: 300000 with hash .*, expected 300000 with ${hash}`,
    ),
    hint: expect.stringContaining('What came was removed'),
  });
  expect(await readdir(blobs())).not.toContain(`${hash}.incomplete`);
  await rm(join(home, 'hub'), { recursive: true });
  hub.fail(/siren_config/, { corrupt: true });
  await expect(fetchWeights()).rejects.toThrow(/siren_config\.json came with other bytes/);
  expect((await fetchWeights()).equals(content)).toBe(true);
});

test('a file longer than promised is not read to its end', async () => {
  const [longer] = [Buffer.concat([content, Buffer.alloc(5_000_000)])];
  hub.fail(new RegExp(hash), { status: 200, body: longer.toString('latin1') });
  await expect(fetchWeights()).rejects.toThrow(/other bytes than the hub promised/);
});

test('a blob of another size than the hub names is replaced', async () => {
  await mkdir(blobs(), { recursive: true });
  await writeFile(join(blobs(), hash), 'cut');
  expect((await fetchWeights()).equals(content)).toBe(true);
});

test('a disk that gets full on the way is told, with what to do', async () => {
  await access('/dev/full');
  await mkdir(blobs(), { recursive: true });
  await symlink('/dev/full', part());
  await expect(fetchWeights()).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/not enough space in .*models--lab--x: the file system is full/),
    hint: expect.stringContaining('HF_HOME'),
  });
});

test('a hub that names a content by what can be no hash is not followed', async () => {
  hub.fail(/paths-info/, {
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      ['siren_config.json', WEIGHTS].map((path) => ({ type: 'file', path, size: 1, oid: '../../../x' })),
    ),
  });
  await expect(fetchWeights()).rejects.toThrow(/names a file's content "\.\.\/\.\.\/\.\.\/x"/);
});
