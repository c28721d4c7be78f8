/** How far two reviewers say the same of the same rows. */
export interface Agreement {
  /** Rows that both have judged. */
  pairs: number;
  agreed: number;
  /**
   * Cohen's kappa (1960): 1 when they agree on all, 0 when they agree as often as chance would. Undefined without pairs, and
   * when both say one and the same of every row.
   */
  kappa: number | undefined;
}

/** @param pairs for each row, whether the first and the second reviewer found it harmful */
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
