/** Pearson's correlation. Undefined when a list is constant (or shorter than 2). */
export function pearson(a: Float64Array, b: Float64Array): number | undefined {
  const [meanA, meanB] = [mean(a), mean(b)];
  let products = 0;
  let squaresA = 0;
  let squaresB = 0;
  for (const [i, value] of a.entries()) {
    const fromA = value - meanA;
    const fromB = (b[i] ?? 0) - meanB;
    products += fromA * fromB;
    squaresA += fromA ** 2;
    squaresB += fromB ** 2;
  }
  if (isConstant(a) || isConstant(b)) return undefined;
  return Math.min(Math.max(products / Math.sqrt(squaresA * squaresB), -1), 1);
}

/** Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of theirs. */
export function spearman(a: Float64Array, b: Float64Array): number | undefined {
  return pearson(ranks(a), ranks(b));
}

/** The 1-based rank of each value, the lowest first; equal values share the mean of their ranks. */
function ranks(values: Float64Array): Float64Array {
  const order = Array.from(values.keys()).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const ranked = new Float64Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from + 1;
    while (to < order.length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    for (const i of order.slice(from, to)) ranked[i] = (from + 1 + to) / 2;
    from = to;
  }
  return ranked;
}

/** Rounding can make the variance of equal values differ from 0: they are compared themselves. */
function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
