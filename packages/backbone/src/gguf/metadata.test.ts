import { expect, test } from 'vitest';
import { Metadata, type MetadataEntry } from './metadata.js';

const metadata = new Metadata(
  'm.gguf',
  new Map<string, MetadataEntry>([
    ['count', { type: 'uint32', value: 3 }],
    ['huge', { type: 'uint64', value: 2n ** 60n }],
    ['ids', { type: 'array', elementType: 'int32', value: Int32Array.of(1, 2) }],
    ['wide', { type: 'array', elementType: 'int64', value: BigInt64Array.of(1n) }],
    ['name', { type: 'string', value: 'x' }],
  ]),
);

test('metadata.a key of the expected type', () => {
  expect(metadata.get('count', 'integer')).toBe(3);
  expect(metadata.get('ids', 'integers')).toEqual(Int32Array.of(1, 2));
  expect(metadata.find('absent', 'string')).toBeUndefined();
});

test('metadata.what is missing or of another type names the key, found and expected', () => {
  expect(() => metadata.get('absent', 'string')).toThrow(
    'm.gguf: metadata key "absent" is missing; expected a string',
  );
  expect(() => metadata.get('count', 'string')).toThrow(
    'metadata key "count" is of type uint32; expected a string',
  );
  expect(() => metadata.find('name', 'boolean')).toThrow('is of type string; expected a boolean');
  expect(() => metadata.get('ids', 'integer')).toThrow('is an array of int32; expected an integer');
  expect(() => metadata.get('wide', 'integers')).toThrow(
    'is an array of int64; expected an array of integers',
  );
  expect(() => metadata.get('huge', 'integer')).toThrow('is 1152921504606846976; expected a smaller number');
});
