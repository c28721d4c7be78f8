const UINT32 = 2 ** 32;

/**
 * Random integers below `limit` (at most 2^32), reproducible by seed: xoshiro128** (Blackman and Vigna, 2018, "Scrambled
 * linear pseudorandom number generators"), seeded by a Weyl sequence with an avalanche mix.
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
    // Scaling has a bias below limit / 2^32, negligible next to the variance of a bootstrap.
    return Math.floor((value / UINT32) * limit);
  };
}

/** Uniform numbers in [0, 1). */
type Uniform = () => number;

/** A draw from the beta distribution, as x / (x + y) of two gamma draws. @param a @param b above 0 */
export function drawBeta(a: number, b: number, uniform: Uniform): number {
  const x = drawGamma(a, uniform);
  const y = drawGamma(b, uniform);
  // Both draws can underflow to 0 when a and b are tiny.
  return x + y === 0 ? 0.5 : x / (x + y);
}

/** Marsaglia and Tsang, 2000, "A simple method for generating gamma variables"; below 1 by their note on the shape. */
function drawGamma(shape: number, uniform: Uniform): number {
  if (shape < 1) return drawGamma(shape + 1, uniform) * positive(uniform) ** (1 / shape);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = drawNormal(uniform);
    const v = (1 + c * normal) ** 3;
    if (v > 0 && Math.log(positive(uniform)) < normal ** 2 / 2 + d * (1 - v + Math.log(v))) return d * v;
  }
}

/** A standard normal draw (Box and Muller). */
function drawNormal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(positive(uniform))) * Math.cos(2 * Math.PI * uniform());
}

const positive = (uniform: Uniform): number => 1 - uniform();

/**
 * The quantile at `share`, interpolated linearly between neighbours (numpy's default).
 * @param sorted ascending, not empty
 * @param share 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError('a quantile needs at least one value');
  return below + (above - below) * (at - Math.floor(at));
}
