import { UserError } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32Tensor, withHeader, writeSafetensors } from '../testing/files.js';
import { goldenArtifact } from '../testing/golden.js';
import {
  float32OfBfloat16,
  float32OfBytes,
  float32OfFloat16,
  halfToNumber,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type TensorInfo,
} from './safetensors.js';

const FILE = 'x.safetensors';

/** The results of both functions for a file. */
function parse(bytes: Uint8Array): Map<string, TensorInfo> {
  const length = safetensorsHeaderLength(FILE, bytes.subarray(0, 8), bytes.byteLength);
  return parseSafetensorsHeader(FILE, bytes.subarray(8, 8 + length), bytes.byteLength);
}

const good = writeSafetensors([
  float32Tensor('a', [2, 3], [1, 2, 3, 4, 5, 6]),
  { name: 'b', dtype: 'BF16', shape: [], bytes: Uint8Array.of(0x80, 0x3f) },
  { name: 'c', dtype: 'I64', shape: [0, 5], bytes: new Uint8Array() },
]);
const headerBytes = good.readUInt32LE(0);

test('every tensor, where it is', () => {
  const start = 8 + headerBytes;
  expect([...parse(good).values()]).toEqual([
    { name: 'a', dtype: 'F32', shape: [2, 3], offset: start, byteLength: 24 },
    { name: 'b', dtype: 'BF16', shape: [], offset: start + 24, byteLength: 2 },
    { name: 'c', dtype: 'I64', shape: [0, 5], offset: start + 26, byteLength: 0 },
  ]);
});

test('metadata is no tensor, blanks may follow the header, a type that is not known has any length', () => {
  const header = '{"__metadata__":{"format":"pt"},"x":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}}   ';
  expect([...parse(withHeader(header, Buffer.alloc(2))).keys()]).toEqual(['x']);
});

/** A file with one tensor, parts of whose entry are changed, and 8 bytes of data. */
const entry = (change: Record<string, unknown>): Buffer =>
  withHeader(
    JSON.stringify({ w: { dtype: 'F32', shape: [2], data_offsets: [0, 8], ...change } }),
    Buffer.alloc(8),
  );

test.each<[string, Buffer, string]>([
  ['no bytes', Buffer.alloc(0), 'it has 0 bytes, fewer than the 8 of the header length'],
  ['too few bytes', Buffer.alloc(7), 'it has 7 bytes'],
  [
    'a header longer than the file',
    withHeader('{}', undefined, 3n),
    'its header claims 3 bytes, the file has 10',
  ],
  [
    'the longest header of all',
    withHeader('{}', undefined, 2n ** 64n - 1n),
    'its header claims 18446744073709552000',
  ],
  [
    'a header beyond what the format allows',
    withHeader('{}', undefined, 100_000_001n),
    'its header claims 100000001',
  ],
  ['an empty header', withHeader(''), 'its header is no JSON'],
  ['no JSON', withHeader('{"w":'), 'its header is no JSON'],
  ['no UTF-8', withHeader(Uint8Array.of(0x7b, 0xff, 0x7d)), 'its header is no JSON'],
  ['an array', withHeader('[]'), 'its header is no JSON object'],
  ['null', withHeader('null'), 'its header is no JSON object'],
  ['a tensor that is no object', withHeader('{"w":3}'), 'tensor w: expected dtype, shape and data_offsets'],
  ['no dtype', entry({ dtype: undefined }), 'tensor w: expected dtype, shape and data_offsets'],
  ['a negative size', entry({ shape: [-2] }), 'tensor w: expected dtype, shape and data_offsets'],
  ['half a size', entry({ shape: [0.5] }), 'tensor w: expected dtype, shape and data_offsets'],
  ['three offsets', entry({ data_offsets: [0, 4, 8] }), 'tensor w: expected dtype, shape and data_offsets'],
  [
    'an end beyond the file',
    entry({ data_offsets: [0, 9] }),
    "data_offsets [0, 9] are outside the file's 8 bytes",
  ],
  ['an end before the beginning', entry({ data_offsets: [8, 0] }), 'data_offsets [8, 0] are outside'],
  ['an end far out', entry({ data_offsets: [0, 2 ** 53 - 1] }), 'are outside'],
  ['an end no integer can be', entry({ data_offsets: [0, 2 ** 60] }), 'tensor w: expected dtype'],
  [
    'a shape too large',
    entry({ shape: [3] }),
    'tensor w: F32 of shape [3] takes 12 bytes, data_offsets give 8',
  ],
  ['a shape too small', entry({ shape: [] }), 'tensor w: F32 of shape [] takes 4 bytes, data_offsets give 8'],
  ['a huge shape', entry({ shape: [2 ** 40, 2 ** 40] }), 'data_offsets give 8'],
])('%s is told', (_what, bytes, message) => {
  expect(() => parse(bytes)).toThrow(UserError);
  expect(() => parse(bytes)).toThrow(`${FILE} is not a whole safetensors file`);
  expect(() => parse(bytes)).toThrow(message);
});

test('a type may have any name, also that of a property which every object has', () => {
  expect(parse(entry({ dtype: 'constructor' })).get('w')?.dtype).toBe('constructor');
});

const released = goldenArtifact('llama31-ropescaled').weights.bytes;

test('a file cut short at any byte is a UserError', () => {
  const cuts = fc.oneof(fc.nat(1000), fc.nat(released.byteLength - 1));
  fc.assert(
    fc.property(cuts, (length) => {
      expect(() => parse(released.subarray(0, length))).toThrow(UserError);
    }),
    { numRuns: 500 },
  );
});

test('a file with bytes of its header overwritten is read or is a UserError', () => {
  const change = fc.tuple(
    fc.nat(900),
    fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('0123456789-[]{},:"e.'))),
  );
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 6 }), (changes) => {
      const bytes = Uint8Array.from(released);
      for (const [at, byte] of changes) bytes[at] = byte;
      readOrUserError(bytes);
    }),
    { numRuns: 2000 },
  );
});

test('a header of any JSON is read or is a UserError', () => {
  const tensor = fc.record(
    {
      dtype: fc.oneof(fc.constantFrom('F32', 'BF16', '__proto__'), fc.jsonValue({ maxDepth: 1 })),
      shape: fc.oneof(fc.array(fc.nat(4)), fc.jsonValue({ maxDepth: 1 })),
      data_offsets: fc.oneof(fc.tuple(fc.nat(20), fc.nat(20)), fc.jsonValue({ maxDepth: 1 })),
    },
    { requiredKeys: [] },
  );
  const header = fc.oneof(
    fc.json(),
    fc.dictionary(fc.string(), tensor).map((entries) => JSON.stringify(entries)),
  );
  fc.assert(
    fc.property(header, (json) => readOrUserError(withHeader(json, Buffer.alloc(16)))),
    { numRuns: 1000 },
  );
});

/** Every tensor either lies within the file or gives a UserError, never an internal error. */
function readOrUserError(bytes: Uint8Array): void {
  let tensors: Map<string, TensorInfo>;
  try {
    tensors = parse(bytes);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    return;
  }
  for (const { offset, byteLength } of tensors.values()) {
    expect(offset).toBeGreaterThanOrEqual(8);
    expect(byteLength).toBeGreaterThanOrEqual(0);
    expect(offset + byteLength).toBeLessThanOrEqual(bytes.byteLength);
  }
}

test.each([
  [0x0000, 0],
  [0x8000, -0],
  [0x3c00, 1],
  [0xc000, -2],
  [0x3555, 0.333251953125],
  [0x7bff, 65504],
  [0x0400, 2 ** -14],
  [0x03ff, 2 ** -14 - 2 ** -24],
  [0x8001, -(2 ** -24)],
  [0x7c00, Number.POSITIVE_INFINITY],
  [0xfc00, Number.NEGATIVE_INFINITY],
  [0x7e00, Number.NaN],
])('float16 bits %i are %d', (bits, value) => {
  expect(halfToNumber(bits)).toBe(value);
});

test.each([
  [0x0000, 0],
  [0x8000, -0],
  [0x3f80, 1],
  [0xc040, -3],
  [0x4049, 3.140625],
  [0x7f7f, 3.3895313892515355e38],
  [0x0001, 9.183549615799121e-41],
  [0x7f80, Number.POSITIVE_INFINITY],
  [0x7fc0, Number.NaN],
])('bfloat16 bits %i are %d', (bits, value) => {
  expect(float32OfBfloat16(Uint8Array.of(bits & 255, bits >> 8))).toEqual(Float32Array.of(value));
});

test('bytes are read wherever they lie, every value in its place', () => {
  fc.assert(
    fc.property(fc.uint16Array({ maxLength: 20 }), fc.nat(3), (words, offset) => {
      const at = (bytes: Uint8Array): Uint8Array =>
        Uint8Array.from([...new Uint8Array(offset), ...bytes]).subarray(offset);
      const halves = at(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
      expect(float32OfFloat16(halves)).toEqual(Float32Array.from(words, halfToNumber));

      const bfloats = Float32Array.from(float32OfBfloat16(halves));
      expect(
        [...new Uint32Array(bfloats.buffer)].map((bits, i) => isNaN32(bits) || bits >>> 16 === words[i]),
      ).toEqual(Array.from(words, () => true));
      const whole = new Uint8Array(bfloats.buffer);
      expect(float32OfBytes(at(whole))).toEqual(bfloats);
    }),
  );
});

/** A NaN's bits may change in a register. */
const isNaN32 = (bits: number): boolean => (bits & 0x7f800000) === 0x7f800000 && (bits & 0x7fffff) !== 0;
