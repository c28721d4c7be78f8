import type { Histogram } from '@tocsin/contract';

type Bins = Pick<Histogram, 'edges' | 'counts'>;

/** How many scores are at least `threshold`: whole bins, and of the one it cuts its share. Exact at a bin's edge. */
export function estimateFlagged({ edges, counts }: Bins, threshold: number): number {
  let flagged = 0;
  counts.forEach((rows, bin) => {
    const from = edges[bin] ?? 0;
    const to = edges[bin + 1] ?? 1;
    const last = bin === counts.length - 1;
    if (from >= threshold) flagged += rows;
    // The last bin holds its upper edge too.
    else if (last && threshold >= to) flagged += 0;
    else if (to > threshold) flagged += (rows * (to - threshold)) / (to - from);
  });
  return Math.round(flagged);
}

/** Whether a threshold lies on the edge of a bin, so that the estimate is exact. */
export function isEdge({ edges }: Bins, threshold: number): boolean {
  return edges.some((edge) => Math.abs(edge - threshold) < 1e-9) && threshold < 1;
}
