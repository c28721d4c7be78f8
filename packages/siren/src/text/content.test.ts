import { UserError } from '@tocsin/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfTokenIds, type ContentInput, contentHash, textOf, tokenIdsOfBytes } from './content.js';

test.each<[ContentInput, string]>([
  [{ text: 'a' }, 'a'],
  [{ text: '' }, ''],
  [{ prompt: 'p', response: 'r' }, 'p\nr'],
  [{ prompt: 'p' }, 'p'],
  [{ response: 'r' }, 'r'],
  [{ prompt: '', response: 'r' }, 'r'],
  [{ prompt: '', response: '' }, ''],
  [{ prompt: null, response: 'r' }, 'r'],
  [{ text: 'a \ud83d\ude00', prompt: undefined }, 'a \ud83d\ude00'],
])('%j', (input, text) => {
  expect(textOf(input)).toBe(text);
});

test.each<[unknown, string]>([
  [{ text: 'a', prompt: 'p' }, 'text and prompt/response were given together'],
  [{ text: '', response: '' }, 'text and prompt/response were given together'],
  [{}, 'nothing to score'],
  [{ prompt: null, response: undefined }, 'nothing to score'],
  [{ text: 7 }, 'text must be a string, got a value of type number'],
  [{ prompt: ['p'] }, 'prompt must be a string, got an array'],
  [{ response: {} }, 'response must be a string, got a value of type object'],
  [{ text: 'a\ud83d' }, 'text contains an unpaired surrogate'],
  [{ response: '\ude00' }, 'response contains an unpaired surrogate'],
  ['a', 'expected an object with text, or with prompt and/or response, got a value of type string'],
  [null, 'got null'],
])('%j is refused', (input, message) => {
  const scored = () => textOf(input as ContentInput);
  expect(scored).toThrow(UserError);
  expect(scored).toThrow(message);
});

const tokenIds = fc.int32Array({ maxLength: 40 });

test('the hash is sha256 of the ids as little-endian 32-bit integers, now and in every version', () => {
  expect(contentHash(Int32Array.of(1, 2, 258)).toString('hex')).toBe(
    '4abf56585bb9c3ee7a0dbc7868fa25fbdbd19958b2c48aef41e510881690c974',
  );
});

test('other ids, or the same ones in another order, are another content', () => {
  fc.assert(
    fc.property(tokenIds, tokenIds, (a, b) => {
      const same = a.length === b.length && a.every((id, i) => id === b[i]);
      expect(contentHash(a).equals(contentHash(b))).toBe(same);
    }),
  );
  fc.assert(
    fc.property(tokenIds, fc.nat(), (ids, at) => {
      fc.pre(ids.length > 1);
      const i = at % (ids.length - 1);
      fc.pre(ids[i] !== ids[i + 1]);
      const swapped = ids.slice();
      [swapped[i], swapped[i + 1]] = [ids[i + 1] ?? 0, ids[i] ?? 0];
      expect(contentHash(swapped).equals(contentHash(ids))).toBe(false);
    }),
  );
});

test('a view into a larger array has the hash of its own ids', () => {
  const all = Int32Array.of(9, 1, 2, 9);
  expect(contentHash(all.subarray(1, 3))).toEqual(contentHash(Int32Array.of(1, 2)));
});

test('ids become bytes and ids again, wherever the bytes lie', () => {
  fc.assert(
    fc.property(tokenIds, fc.nat(7), (ids, offset) => {
      const pool = Buffer.alloc(offset + 4 * ids.length);
      bytesOfTokenIds(ids).copy(pool, offset);
      expect(tokenIdsOfBytes(pool.subarray(offset))).toEqual(ids);
    }),
  );
});

test('bytes that are no whole ids are refused', () => {
  expect(() => tokenIdsOfBytes(new Uint8Array(6))).toThrow('token ids take 4 bytes each, got 6 bytes');
});
