/** Scores with labels: row i has `scores[i]`, and `labels[i]` is 1 when it is harmful, else 0. */
export interface Labelled {
  /** P(harmful) of each row, in [0, 1]. */
  scores: Float64Array;
  labels: Uint8Array;
}

/** Labelled rows from plain arrays. @throws RangeError for different lengths or values out of range */
export function labelled(scores: ArrayLike<number>, labels: ArrayLike<number>): Labelled {
  if (scores.length !== labels.length) {
    throw new RangeError(`${scores.length} scores came with ${labels.length} labels`);
  }
  return { scores: scoreList(scores), labels: Uint8Array.from(labels, checkedLabel) };
}

/** A list of scores, each checked to be in [0, 1]. */
export function scoreList(scores: ArrayLike<number>): Float64Array {
  return Float64Array.from(scores, (score, i) => {
    if (score >= 0 && score <= 1) return score;
    throw new RangeError(`score ${i} is ${score}; a number from 0 to 1 was expected`);
  });
}

function checkedLabel(label: number, i: number): number {
  if (label === 0 || label === 1) return label;
  throw new RangeError(`label ${i} is ${label}; 0 or 1 was expected`);
}

/**
 * Labelled scores, sorted once: the number of harmful and of safe rows at each distinct score. Every ranking measure is
 * one pass over it, and ties are never broken.
 */
export interface Tally {
  /** The distinct scores, highest first. */
  scores: Float64Array;
  /** Harmful rows at each of them; may be 0. */
  harmful: ArrayLike<number>;
  /** Safe rows at each of them; may be 0. */
  safe: ArrayLike<number>;
  /** Sums of the two. */
  totals: Totals;
}

interface Totals {
  harmful: number;
  safe: number;
}

/** Sorts and counts. O(n log n). */
export function tallyOf({ scores, labels }: Labelled): Tally {
  const distinct = distinctScores(scores);
  const harmful = new Uint32Array(distinct.length);
  const safe = new Uint32Array(distinct.length);
  const cells = cellsOf(scores, distinct);
  const totals = { harmful: 0, safe: 0 };
  for (const [row, cell] of cells.entries()) {
    if (labels[row] === 1) {
      harmful[cell] = (harmful[cell] ?? 0) + 1;
      totals.harmful += 1;
    } else {
      safe[cell] = (safe[cell] ?? 0) + 1;
      totals.safe += 1;
    }
  }
  return { scores: distinct, harmful, safe, totals };
}

/** For each row, the index of its score among the distinct ones. */
export function cellsOf(scores: Float64Array, distinct: Float64Array): Uint32Array {
  const cellOf = new Map<number, number>();
  for (const [cell, score] of distinct.entries()) cellOf.set(score, cell);
  return Uint32Array.from(scores, (score) => {
    const cell = cellOf.get(score);
    if (cell === undefined) throw new RangeError(`the score ${score} is not among the distinct ones`);
    return cell;
  });
}

/** The highest first. */
function distinctScores(scores: Float64Array): Float64Array {
  // A typed array's sort compares numbers natively.
  const sorted = scores.toSorted();
  const distinct: number[] = [];
  for (let i = sorted.length - 1; i >= 0; i--) {
    const score = sorted[i] ?? 0;
    if (score !== distinct.at(-1)) distinct.push(score);
  }
  return Float64Array.from(distinct);
}
