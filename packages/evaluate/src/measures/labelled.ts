/** Scores and what is true of them: row i has `scores[i]`, and `labels[i]` is 1 when it is harmful, else 0. */
export interface Labelled {
  /** P(harmful) of each row, in [0, 1]. */
  scores: Float64Array;
  labels: Uint8Array;
}

/** Labelled rows from plain lists. Throws a `RangeError` for lists that are no such rows. */
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
