import type { Histogram } from '@tocsin/contract';

const STEP = 0.01;
const FINE_STEP = 0.001;
const LARGE_STEP = 0.1;
const DIGITS = 1e4;

/** Moves a threshold by a key, as in any slider; Shift makes small steps. @returns undefined for other keys */
export function thresholdAfter(key: string, shift: boolean, threshold: number): number | undefined {
  const step = shift ? FINE_STEP : STEP;
  const to = {
    ArrowRight: threshold + step,
    ArrowUp: threshold + step,
    ArrowLeft: threshold - step,
    ArrowDown: threshold - step,
    PageUp: threshold + LARGE_STEP,
    PageDown: threshold - LARGE_STEP,
    Home: 0,
    End: 1,
  }[key];
  return to === undefined ? undefined : within(to);
}

/** Clamped to [0, 1] and rounded, to drop floating-point noise. */
export function within(threshold: number): number {
  return Math.min(1, Math.max(0, Math.round(threshold * DIGITS) / DIGITS));
}

type Bins = Pick<Histogram, 'edges' | 'counts'>;

/** Estimates how many scores are at least `threshold`, with a share of the bin it cuts. Exact at a bin's edge. */
export function estimateFlagged({ edges, counts }: Bins, threshold: number): number {
  let flagged = 0;
  counts.forEach((rows, bin) => {
    const from = edges[bin] ?? 0;
    const to = edges[bin + 1] ?? 1;
    const last = bin === counts.length - 1;
    if (from >= threshold) flagged += rows;
    // The last bin includes its upper edge.
    else if (last && threshold >= to) flagged += 0;
    else if (to > threshold) flagged += (rows * (to - threshold)) / (to - from);
  });
  return Math.round(flagged);
}

/** Whether a threshold is on the edge of a bin, where the estimate is exact. */
export function isEdge({ edges }: Bins, threshold: number): boolean {
  return edges.some((edge) => Math.abs(edge - threshold) < 1e-9) && threshold < 1;
}
