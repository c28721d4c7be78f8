import type { Labelled } from './tally.js';

/** Number of equal-width bins over [0, 1]. */
const CALIBRATION_BINS = 15;

/** The rows with a score in (from, to]; the first bin includes 0. */
export interface CalibrationBin {
  from: number;
  to: number;
  rows: number;
  /** Undefined in an empty bin. */
  meanScore: number | undefined;
  /** Harmful share of its rows. Undefined in an empty bin. */
  harmfulShare: number | undefined;
}

/** Mean score and harmful share of each bin. */
export function calibrationBins({ scores, labels }: Labelled, bins = CALIBRATION_BINS): CalibrationBin[] {
  const edges = Array.from({ length: bins + 1 }, (_, i) => i / bins);
  const sums = Array.from({ length: bins }, () => ({ rows: 0, scores: 0, harmful: 0 }));
  for (const [row, score] of scores.entries()) {
    const sum = sums[binOf(score, edges)];
    if (sum === undefined) throw new RangeError(`the score ${score} is in no bin`);
    sum.rows += 1;
    sum.scores += score;
    sum.harmful += labels[row] ?? 0;
  }
  return sums.map(({ rows, scores: scoreSum, harmful }, i) => ({
    from: edges[i] ?? 0,
    to: edges[i + 1] ?? 1,
    rows,
    meanScore: rows === 0 ? undefined : scoreSum / rows,
    harmfulShare: rows === 0 ? undefined : harmful / rows,
  }));
}

/** Arithmetic finds the bin up to rounding; comparing with the edges settles it. */
function binOf(score: number, edges: readonly number[]): number {
  const bins = edges.length - 1;
  let bin = Math.min(Math.max(Math.ceil(score * bins) - 1, 0), bins - 1);
  if (bin > 0 && score <= (edges[bin] ?? 0)) bin -= 1;
  else if (score > (edges[bin + 1] ?? 1)) bin += 1;
  return bin;
}

/**
 * Expected calibration error: the mean over all rows of |mean score - harmful share| of their bin. 0 for perfectly
 * calibrated scores. Undefined without rows.
 */
export function expectedCalibrationError(bins: readonly CalibrationBin[]): number | undefined {
  const rows = bins.reduce((sum, bin) => sum + bin.rows, 0);
  if (rows === 0) return undefined;
  const weighted = bins.map(
    ({ rows: n, meanScore = 0, harmfulShare = 0 }) => n * Math.abs(meanScore - harmfulShare),
  );
  return weighted.reduce((sum, error) => sum + error, 0) / rows;
}

/** Brier score: the mean of (score - label)². 0 is perfect, a constant 0.5 gets 0.25. Undefined without rows. */
export function brierScore({ scores, labels }: Labelled): number | undefined {
  if (scores.length === 0) return undefined;
  const squares = scores.map((score, row) => (score - (labels[row] ?? 0)) ** 2);
  return squares.reduce((sum, square) => sum + square, 0) / scores.length;
}
