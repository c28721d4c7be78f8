import { float32OfBfloat16, float32OfFloat16 } from '@tocsin/siren';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFloats } from './encode-floats.js';

const ALL_CODES = Uint16Array.from({ length: 65_536 }, (_, code) => code);
const allBytes = new Uint8Array(ALL_CODES.buffer);
const floats = fc.float({ noNaN: true, noDefaultInfinity: true });

const DECODE = { F16: float32OfFloat16, BF16: float32OfBfloat16 };

test.each(['F16', 'BF16'] as const)('every finite %s comes back as it was', (type) => {
  const values = DECODE[type](allBytes);
  const finite = ALL_CODES.filter((code) => Number.isFinite(values[code]));
  const encoded = encodeFloats(values.filter(Number.isFinite), type);
  expect(new Uint16Array(encoded.buffer)).toEqual(finite);
});

test.each(['F16', 'BF16'] as const)(
  '%s: the nearest there is, the even one of two that are as near',
  (type) => {
    const of = (code: number): number => DECODE[type](new Uint8Array(Uint16Array.of(code).buffer))[0] ?? 0;
    fc.assert(
      fc.property(floats, (value) => {
        fc.pre(type === 'BF16' ? Math.abs(value) < 3.38e38 : Math.abs(value) < 65_504);
        const [code = 0] = new Uint16Array(encodeFloats(Float32Array.of(value), type).buffer);
        const error = Math.abs(of(code) - value);
        for (const neighbour of [code - 1, code + 1].filter((one) => (one & 0x7fff) !== 0x7fff && one >= 0)) {
          const other = Math.abs(of(neighbour) - value);
          if (Number.isNaN(other)) continue;
          expect(error).toBeLessThanOrEqual(other);
          if (error === other && of(neighbour) !== of(code)) expect(code & 1).toBe(0);
        }
      }),
      { numRuns: 2000 },
    );
  },
);

test('what float16 cannot hold is no float16', () => {
  expect(() => encodeFloats(Float32Array.of(1, -70_000), 'F16')).toThrow('-70000 is beyond float16');
  expect(() => encodeFloats(Float32Array.of(65_520), 'F16')).toThrow(RangeError);
  expect(() => encodeFloats(Float32Array.of(65_519, -65_504), 'F16')).not.toThrow();
});

test('float32 is its own bytes', () => {
  expect(encodeFloats(Float32Array.of(1, -2.5), 'F32')).toEqual(
    new Uint8Array(Float32Array.of(1, -2.5).buffer),
  );
});
