/** Differences in [from, to); the last bin holds 1 as well. */
export interface DifferenceBin {
  from: number;
  to: number;
  rows: number;
}

/**
 * Half decades: what precision costs spans 1e-7 (float32 noise) to 1. Written as numbers and not computed, so that a
 * difference of 0.001 is in the bin that starts with it.
 */
const EDGES = [1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5, 1e-4, 3e-4, 1e-3, 3e-3, 0.01, 0.03, 0.1, 0.3, 1] as const;

/** How many |differences| there are of each size. The first bin, [0, 1e-7), holds equal scores too. */
export function differenceHistogram(differences: Float64Array): DifferenceBin[] {
  const bins = EDGES.map((to, i): DifferenceBin => ({ from: EDGES[i - 1] ?? 0, to, rows: 0 }));
  const last = bins.at(-1);
  for (const difference of differences) {
    const bin = bins.find(({ to }) => difference < to) ?? last;
    if (bin !== undefined) bin.rows += 1;
  }
  return bins;
}

/** The bins from the first that holds a row to the last. */
export function filledBins(bins: readonly DifferenceBin[]): DifferenceBin[] {
  const filled = bins.map(({ rows }) => rows > 0);
  return bins.slice(Math.max(filled.indexOf(true), 0), filled.lastIndexOf(true) + 1);
}
