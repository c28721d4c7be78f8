import fc from 'fast-check';
import { expect, test } from 'vitest';
import { float32OfBfloat16, float32OfBytes, float32OfFloat16, halfToNumber } from './float-formats.js';

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

/** The bits of a NaN may change on their way through a register. */
const isNaN32 = (bits: number): boolean => (bits & 0x7f800000) === 0x7f800000 && (bits & 0x7fffff) !== 0;
