/** Numbers that are as likely everywhere in [0, 1). */
type Uniform = () => number;

/** A draw of the beta distribution, as x / (x + y) of two gamma draws. @param a @param b above 0 */
export function drawBeta(a: number, b: number, uniform: Uniform): number {
  const x = drawGamma(a, uniform);
  const y = drawGamma(b, uniform);
  // Both can be too small for a number when a and b are.
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

/** Box and Muller. */
function drawNormal(uniform: Uniform): number {
  return Math.sqrt(-2 * Math.log(positive(uniform))) * Math.cos(2 * Math.PI * uniform());
}

const positive = (uniform: Uniform): number => 1 - uniform();
