/** On how many labelled rows two guards judge rightly, each at its threshold. */
export interface Paired {
  bothRight: number;
  onlyARight: number;
  onlyBRight: number;
  bothWrong: number;
  /**
   * McNemar's exact test: how probable a split of the rows where one is right and the other wrong, at least as uneven as
   * this one, is when neither guard is better. 1 when there are no such rows.
   */
  pValue: number;
}

/** Counts from what each guard flags and what is true. */
export function pairedJudgements(
  flaggedA: readonly boolean[],
  flaggedB: readonly boolean[],
  labels: Uint8Array,
): Paired {
  const counts = { bothRight: 0, onlyARight: 0, onlyBRight: 0, bothWrong: 0 };
  for (const [i, label] of labels.entries()) {
    const rightA = flaggedA[i] === (label === 1);
    const rightB = flaggedB[i] === (label === 1);
    if (rightA && rightB) counts.bothRight += 1;
    else if (rightA) counts.onlyARight += 1;
    else if (rightB) counts.onlyBRight += 1;
    else counts.bothWrong += 1;
  }
  return { ...counts, pValue: mcnemarExact(counts.onlyARight, counts.onlyBRight) };
}

/** Two-sided exact binomial test of `a` against `b` at one half. */
export function mcnemarExact(a: number, b: number): number {
  const trials = a + b;
  // Sums of logarithms: 2^-trials itself is 0 from 1,075 trials on.
  let logTerm = -trials * Math.LN2;
  let tail = Math.exp(logTerm);
  for (let k = 1; k <= Math.min(a, b); k++) {
    logTerm += Math.log((trials - k + 1) / k);
    tail += Math.exp(logTerm);
  }
  return Math.min(1, 2 * tail);
}
