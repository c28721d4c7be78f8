/** How well two reviewers agree on the same rows. */
export interface Agreement {
  /** Rows that both judged. */
  pairs: number;
  agreed: number;
  /**
   * Cohen's kappa (1960): 1 for full agreement, 0 for the agreement expected by chance. Undefined without pairs, and when
   * both gave every row the same verdict.
   */
  kappa: number | undefined;
}

/** @param pairs per row, whether the first and the second reviewer found it harmful */
export function agreement(pairs: readonly (readonly [boolean, boolean])[]): Agreement {
  const count = (which: (pair: readonly [boolean, boolean]) => boolean): number => pairs.filter(which).length;
  const agreed = count(([first, second]) => first === second);
  const total = pairs.length;
  if (total === 0) return { pairs: 0, agreed: 0, kappa: undefined };
  const first = count(([harmful]) => harmful) / total;
  const second = count(([, harmful]) => harmful) / total;
  const byChance = first * second + (1 - first) * (1 - second);
  const kappa = byChance === 1 ? undefined : (agreed / total - byChance) / (1 - byChance);
  return { pairs: total, agreed, kappa };
}

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

/** Spearman's correlation: Pearson's correlation of the ranks; ties share their mean rank. */
export function spearman(a: Float64Array, b: Float64Array): number | undefined {
  return pearson(ranks(a), ranks(b));
}

/** The 1-based rank of each value, lowest first; ties share their mean rank. */
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

/** Compares values, because rounding can give equal values a variance other than 0. */
function isConstant(values: Float64Array): boolean {
  return values.every((value) => value === values[0]);
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
