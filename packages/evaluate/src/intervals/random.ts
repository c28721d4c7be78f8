const UINT32 = 2 ** 32;

/**
 * Random whole numbers below `limit` (at most 2^32), the same for the same seed: xoshiro128** (Blackman and Vigna, 2018,
 * "Scrambled linear pseudorandom number generators"), its state filled from the seed by a Weyl sequence with an
 * avalanche mix.
 */
export function randomBelow(seed: number): (limit: number) => number {
  let weyl = seed >>> 0;
  const next = (): number => {
    weyl = (weyl + 0x9e3779b9) >>> 0;
    let mixed = Math.imul(weyl ^ (weyl >>> 16), 0x85ebca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
  let [a, b, c, d] = [next(), next(), next(), next()];
  return (limit) => {
    const times5 = Math.imul(b, 5);
    const value = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    // The bias of scaling is below limit / 2^32: nothing beside what a bootstrap varies by.
    return Math.floor((value / UINT32) * limit);
  };
}
