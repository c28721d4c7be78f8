/**
 * The value below which a share of the values lies, interpolated linearly between neighbours (numpy's default).
 * @param sorted ascending, not empty
 * @param share 0 to 1
 */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  if (below === undefined || above === undefined) throw new RangeError('there is no quantile of no values');
  return below + (above - below) * (at - Math.floor(at));
}
