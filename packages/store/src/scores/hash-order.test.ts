import fc from 'fast-check';
import { expect, test } from 'vitest';
import { byHash } from './hash-order.js';

test('the order is that of the bytes, also where hashes begin alike', () => {
  const hash = fc
    .tuple(fc.constantFrom(0, 127, 128, 255), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    .map(([same, bytes]) => Buffer.concat([Buffer.alloc(6, same), Buffer.from(bytes)]));
  fc.assert(
    fc.property(fc.array(hash), (hashes) => {
      const rows = hashes.map((each, at) => ({ hash: each, at }));
      const sorted = byHash(rows);
      expect(sorted).toEqual([...rows].sort((a, b) => Buffer.compare(a.hash, b.hash)));
    }),
  );
});
