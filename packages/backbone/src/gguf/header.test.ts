import { UserError } from '@tocsin/core';
import { expect, test } from 'vitest';
import { openGguf } from './open-gguf.js';
import { tinyModel, withMetadata } from './testing/tiny-model.js';
import {
  array,
  bool,
  type GgufSpec,
  i32,
  str,
  tempFiles,
  text,
  u32,
  u64,
  uint32,
  uint64,
  writeGguf,
} from './testing/write-gguf.js';

const write = tempFiles();
const tiny = tinyModel('llama', 'F32');

/** The error from opening the file. */
async function problem(file: GgufSpec | Buffer): Promise<string> {
  const path = await write(Buffer.isBuffer(file) ? file : writeGguf(file));
  const error: unknown = await openGguf(path).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof UserError)) throw new Error('expected a UserError', { cause: error });
  expect(error.message.startsWith(`${path}: `)).toBe(true);
  return error.message.slice(path.length + 2);
}

const withKey = (value: Buffer): GgufSpec => withMetadata(tiny, { 'test.key': value });

test('header.versions 2 and 3 are read', async () => {
  for (const version of [2, 3]) {
    const file = await openGguf(await write(writeGguf({ ...tiny, version })));
    expect(file.tensors.size).toBe(tiny.tensors.length);
  }
});

test('header.other versions and byte orders are refused', async () => {
  expect(await problem({ ...tiny, version: 1 })).toBe(
    'the GGUF file is version 1; supported are versions 2 and 3, little-endian',
  );
  expect(await problem({ ...tiny, version: 0x0300_0000 })).toContain('is big-endian');
});

test('header.a file that is no GGUF is refused', async () => {
  expect(await problem(Buffer.from('{"a": 1}'))).toBe(
    'the file starts with bytes 7b226122; expected 47475546 ("GGUF")',
  );
  expect(await problem(Buffer.alloc(0))).toContain('the file ends (0 bytes) inside the header');
});

test('header.counts and lengths beyond the file are refused before anything is allocated', async () => {
  const head = (tensors: number | bigint, pairs: number | bigint, ...rest: Buffer[]): Buffer =>
    Buffer.concat([Buffer.from('GGUF'), uint32(3), uint64(tensors), uint64(pairs), ...rest]);
  expect(await problem(head(0, 2n ** 40n))).toMatch(
    /says a metadata count of 1099511627776, but only 0 bytes/,
  );
  expect(await problem(head(2n ** 40n, 0))).toMatch(/says a tensor count of 1099511627776, but only 0 bytes/);
  expect(await problem(head(0, 2n ** 63n))).toMatch(/which exceeds the file/);
  expect(await problem(head(0, 1, uint64(60_000), Buffer.alloc(20)))).toMatch(
    /a string length of 60000, but/,
  );
  expect(await problem(head(0, 1, uint64(70_000), Buffer.alloc(80_000)))).toMatch(/expected at most 65535/);
  for (const elementType of [0, 8]) {
    expect(await problem(withKey(array(elementType, 2n ** 33n, [])))).toMatch(
      /metadata key "test.key" says an array length of 8589934592, but only \d+ bytes/,
    );
  }
});

test('header.values that are none are refused with their key', async () => {
  expect(await problem(withKey(uint32(13)))).toBe(
    'metadata key "test.key" has value type 13; expected 0 to 12',
  );
  expect(await problem(withKey(bool(2)))).toBe('metadata key "test.key" is a boolean of 2; expected 0 or 1');
  expect(await problem(withKey(array(9, 0, [])))).toMatch(/"test.key" is an array of arrays/);
  expect(await problem(withKey(str(Buffer.from([0x61, 0xff]))))).toMatch(
    /"test.key" contains a string that is not valid/,
  );
});

test('header.U+FFFD itself is a character like others', async () => {
  const { metadata } = await openGguf(await write(writeGguf(withKey(str('a\uFFFD')))));
  expect(metadata.get('test.key', 'string')).toBe('a\uFFFD');
});

test('header.every scalar type is read', async () => {
  const scalar = (type: number, ...bytes: number[]): Buffer =>
    Buffer.concat([uint32(type), Buffer.from(bytes)]);
  const values: [Buffer, unknown][] = [
    [scalar(0, 255), 255],
    [scalar(1, 255), -1],
    [scalar(2, 1, 2), 513],
    [scalar(3, 255, 255), -1],
    [u32(4e9), 4e9],
    [i32(-5), -5],
    [scalar(6, 0, 0, 0x20, 0x40), 2.5],
    [bool(true), true],
    [str('x'), 'x'],
    [u64(2n ** 40n), 2 ** 40],
    [u64(2n ** 60n), 2n ** 60n],
    [scalar(11, 255, 255, 255, 255, 255, 255, 255, 255), -1],
    [scalar(12, 0, 0, 0, 0, 0, 0, 4, 0x40), 2.5],
  ];
  for (const [bytes, value] of values) {
    const { metadata } = await openGguf(await write(writeGguf(withKey(bytes))));
    expect(metadata.entries.get('test.key')?.value).toBe(value);
  }
});

test('header.a key or a tensor twice is refused', async () => {
  const [pair] = tiny.metadata;
  const [tensor] = tiny.tensors;
  if (pair === undefined || tensor === undefined) throw new Error('the tiny model is empty');
  expect(await problem({ ...tiny, metadata: [...tiny.metadata, pair] })).toBe(
    'metadata key "general.architecture" occurs twice',
  );
  expect(await problem({ ...tiny, tensors: [...tiny.tensors, tensor] })).toBe(
    'the entry of tensor "token_embd.weight" occurs twice',
  );
});

test('header.dimensions that no tensor has are refused', async () => {
  const entry = (...dimensions: (number | bigint)[]): Buffer =>
    Buffer.concat([
      Buffer.from('GGUF'),
      uint32(3),
      uint64(1),
      uint64(0),
      text('t'),
      uint32(dimensions.length),
      ...dimensions.map(uint64),
      Buffer.alloc(64),
    ]);
  expect(await problem(entry(1, 1, 1, 1, 1))).toMatch(/tensor "t" has 5 dimensions; expected 1 to 4/);
  expect(await problem(entry())).toMatch(/has 0 dimensions/);
  expect(await problem(entry(4, 0))).toMatch(/has dimensions 4 x 0/);
  expect(await problem(entry(2n ** 32n, 2n ** 32n))).toMatch(/which no tensor has/);
});

test('header.the alignment is a multiple of 8', async () => {
  const aligned = await openGguf(
    await write(writeGguf({ ...withMetadata(tiny, { 'general.alignment': u32(64) }), alignment: 64 })),
  );
  expect([...aligned.tensors.values()].every(({ offset }) => offset % 64 === 0)).toBe(true);
  expect(await problem(withMetadata(tiny, { 'general.alignment': u32(12) }))).toMatch(
    /is 12; expected a multiple of 8/,
  );
});
