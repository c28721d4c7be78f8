import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { UserError } from '@tocsin/core';
import { goldenDirs, readTensors, tempDir, withHeader, writeSafetensors } from '@tocsin/siren/testing';
import { expect, test } from 'vitest';
import { openCheckpoint, SHARD_INDEX, SINGLE_FILE, weightFilesOf } from './checkpoint.js';

const single = goldenDirs('llama-residual').backbone;
const sharded = goldenDirs('llama31-ropescaled').backbone;
const SHARDS = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
const temp = tempDir();
let copies = 0;

/** A modified copy of a checkpoint. */
function copyOf(source: string, change: (dir: string) => void): string {
  const dir = join(temp, String(copies++));
  cpSync(source, dir, { recursive: true });
  change(dir);
  return dir;
}

const weightMap = (dir: string): Record<string, string> =>
  (JSON.parse(readFileSync(join(dir, SHARD_INDEX), 'utf8')) as { weight_map: Record<string, string> })
    .weight_map;

test('a checkpoint in one file: its config, and every tensor where it is', async () => {
  const { config, tensors } = await openCheckpoint(single);
  expect(config).toMatchObject({ family: 'llama', numLayers: 4 });
  const file = join(single, SINGLE_FILE);
  const whole = readFileSync(file);
  for (const { name, dtype, shape, bytes } of readTensors(whole)) {
    const tensor = tensors.get(name);
    expect(tensor).toMatchObject({ name, dtype, shape, file, byteLength: bytes.length });
    const offset = tensor?.offset ?? 0;
    expect(whole.subarray(offset, offset + bytes.length).equals(bytes)).toBe(true);
  }
  expect(await weightFilesOf(single)).toEqual({ files: [file], index: undefined });
});

test('a checkpoint in shards: every tensor in the file that the index says', async () => {
  const { tensors } = await openCheckpoint(sharded);
  const places = [...tensors].map(([name, { file }]) => [name, basename(file)]);
  expect(Object.fromEntries(places)).toEqual(weightMap(sharded));
  expect(new Set(places.map(([, file]) => file)).size).toBe(2);
  expect((await weightFilesOf(sharded)).files).toEqual(SHARDS.map((shard) => join(sharded, shard)));
});

test('one file is taken before an index, as transformers does', async () => {
  const dir = copyOf(single, (at) => writeFileSync(join(at, SHARD_INDEX), '{"weight_map":{"x":"gone"}}'));
  expect((await openCheckpoint(dir)).tensors.size).toBe((await openCheckpoint(single)).tensors.size);
});

/** Changes to the file, and the expected error of each. */
const header = (bytes: Buffer): Buffer => bytes.subarray(8, 8 + bytes.readUInt32LE(0));

test.each<[string, (bytes: Buffer) => Buffer, string]>([
  ['cut short by a byte', (bytes) => bytes.subarray(0, bytes.length - 1), 'data_offsets'],
  ['cut short in its header', (bytes) => bytes.subarray(0, 100), 'its header claims'],
  ['empty', () => Buffer.alloc(0), 'it has 0 bytes'],
  [
    'a header longer than itself',
    (bytes) => withHeader(header(bytes), undefined, 2n ** 40n),
    'its header claims 1099511627776',
  ],
  ['a page of HTML', () => Buffer.from('<!DOCTYPE html><html></html>'), 'its header claims'],
  [
    'offsets out of range',
    (bytes) => withHeader(header(bytes).toString().replace('"data_offsets":[0,', '"data_offsets":[9000000,')),
    'data_offsets [9000000,',
  ],
])('weights that are %s are told', async (_what, change, message) => {
  const dir = copyOf(single, (at) => {
    const file = join(at, SINGLE_FILE);
    writeFileSync(file, change(readFileSync(file)));
  });
  await refuses(dir, SINGLE_FILE, message);
});

test.each<[string, string, (dir: string) => void, string]>([
  [
    'a missing shard',
    sharded,
    (dir) => rmSync(join(dir, SHARDS[1] ?? '')),
    `is missing; ${SHARD_INDEX} names it`,
  ],
  [
    'a shard cut short',
    sharded,
    (dir) => writeFileSync(join(dir, SHARDS[1] ?? ''), 'short'),
    'is not a whole safetensors file',
  ],
  [
    'a tensor that its shard does not hold',
    sharded,
    (dir) => {
      const file = join(dir, SHARDS[1] ?? '');
      writeFileSync(file, writeSafetensors(readTensors(readFileSync(file)).slice(1)));
    },
    `is missing; but ${SHARD_INDEX} lists it`,
  ],
  ['an index of no JSON', sharded, (dir) => writeFileSync(join(dir, SHARD_INDEX), '{'), 'is no valid JSON'],
  ['an index without a map', sharded, (dir) => writeFileSync(join(dir, SHARD_INDEX), '{}'), 'weight_map'],
  [
    'an index of other things',
    sharded,
    (dir) => writeFileSync(join(dir, SHARD_INDEX), '{"weight_map":{"a":1}}'),
    'weight_map',
  ],
  [
    'no weights',
    single,
    (dir) => renameSync(join(dir, SINGLE_FILE), join(dir, 'weights.bin')),
    `has neither ${SINGLE_FILE} nor ${SHARD_INDEX}`,
  ],
  [
    'a directory in the place of the weights',
    single,
    (dir) => {
      rmSync(join(dir, SINGLE_FILE));
      mkdirSync(join(dir, SINGLE_FILE));
    },
    'is no file; expected a safetensors file',
  ],
  ['no config', single, (dir) => rmSync(join(dir, 'config.json')), 'config.json cannot be read'],
  [
    'a config of no JSON',
    single,
    (dir) => writeFileSync(join(dir, 'config.json'), 'x'),
    'config.json is no valid JSON',
  ],
  ['a config of null', single, (dir) => writeFileSync(join(dir, 'config.json'), 'null'), 'config.json'],
])('%s is told', async (_what, source, change, message) => {
  await refuses(copyOf(source, change), '', message);
});

test.each(['../model.safetensors', '/etc/hostname', 'a/../../b', 'below/model.safetensors', '..', '.', ''])(
  'an index that leads to %j is refused',
  async (shard) => {
    const dir = copyOf(sharded, (at) => {
      const [first = ''] = Object.keys(weightMap(at));
      writeFileSync(
        join(at, SHARD_INDEX),
        JSON.stringify({ weight_map: { ...weightMap(at), [first]: shard } }),
      );
    });
    await refuses(dir, SHARD_INDEX, `is in ${JSON.stringify(shard)}, which is no plain file name`);
  },
);

async function refuses(dir: string, file: string, message: string): Promise<void> {
  const error: unknown = await openCheckpoint(dir).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(UserError);
  expect((error as UserError).message).toContain(join(dir, file));
  expect((error as UserError).message).toContain(message);
}
