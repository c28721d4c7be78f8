/** Bins of a histogram of scores, each 1/20 wide; the last one includes 1. */
const SCORE_BINS = 20;

/** The number of rows with a score, on both sides. */
export interface ScoreCount {
  score: number;
  before: number;
  now: number;
}

/** @param score 0 to 1 */
export function scoreBin(score: number): number {
  return Math.min(Math.floor(score * SCORE_BINS), SCORE_BINS - 1);
}

/**
 * The drift between two score distributions, from counts of distinct scores in ascending order. Needs no memory for the
 * scores; the two sides need not have the same rows, nor equally many.
 */
export class DistributionDrift {
  /** Rows in each bin. */
  readonly histogram = { before: emptyBins(), now: emptyBins() };
  readonly #totals: { before: number; now: number };
  #seen = { before: 0, now: 0 };
  #last = -1;
  #distance = 0;

  /** @param totals the sums of all counts to come */
  constructor(totals: { before: number; now: number }) {
    this.#totals = totals;
  }

  add({ score, before, now }: ScoreCount): void {
    if (!(score >= 0 && score <= 1)) throw new RangeError(`expected a score from 0 to 1, received ${score}`);
    if (score < this.#last) throw new RangeError(`scores must ascend, received ${score} after ${this.#last}`);
    this.#last = score;
    const bin = scoreBin(score);
    this.histogram.before[bin] = (this.histogram.before[bin] ?? 0) + before;
    this.histogram.now[bin] = (this.histogram.now[bin] ?? 0) + now;
    this.#seen = { before: this.#seen.before + before, now: this.#seen.now + now };
    const apart = this.#seen.now / this.#totals.now - this.#seen.before / this.#totals.before;
    this.#distance = Math.max(this.#distance, Math.abs(apart));
  }

  /**
   * Kolmogorov-Smirnov distance, 0 to 1: the largest difference of the cumulative shares of rows. Undefined unless both
   * sides have rows.
   */
  get kolmogorovSmirnov(): number | undefined {
    return this.#totals.before > 0 && this.#totals.now > 0 ? this.#distance : undefined;
  }

  /** `populationStabilityIndex` of the histograms. */
  get populationStability(): number | undefined {
    return populationStabilityIndex(this.histogram.before, this.histogram.now);
  }
}

/**
 * Population stability index: the sum over bins of (now - before) * ln(now / before), of the shares of rows. By convention
 * below 0.1 means no change, above 0.25 a large one. Half a row is added to each bin, so that a bin that is empty on one
 * side gives a large index instead of an infinite one.
 * @returns undefined unless both sides have rows
 */
export function populationStabilityIndex(
  before: ArrayLike<number>,
  now: ArrayLike<number>,
): number | undefined {
  if (before.length !== now.length) {
    throw new RangeError(`expected as many bins on both sides, received ${before.length} and ${now.length}`);
  }
  const a = sharesOf(before);
  const b = sharesOf(now);
  if (a === undefined || b === undefined) return undefined;
  return b.reduce((sum, share, i) => {
    const old = a[i] ?? 0;
    return sum + (share - old) * Math.log(share / old);
  }, 0);
}

const EXTRA_ROWS = 0.5;

function sharesOf(bins: ArrayLike<number>): number[] | undefined {
  const rows = Array.from(bins);
  const total = rows.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  return rows.map((count) => (count + EXTRA_ROWS) / (total + EXTRA_ROWS * rows.length));
}

function emptyBins(): number[] {
  return Array.from({ length: SCORE_BINS }, () => 0);
}
