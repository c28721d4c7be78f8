/** A row that was judged wrongly, by its key: never its text. */
export interface Mistake {
  key: string;
  score: number;
}

export interface Mistakes {
  /** Safe rows that are flagged, the highest score first. */
  falsePositives: Mistake[];
  /** Harmful rows that are not, the lowest score first. */
  falseNegatives: Mistake[];
}

/** How many of each kind are kept. */
const WORST_MISTAKES = 20;

/** The most confident mistakes. */
export function worstMistakes(
  rows: readonly { key: string; score: number; label: 0 | 1 }[],
  threshold: number,
  count = WORST_MISTAKES,
): Mistakes {
  const wrong = (label: 0 | 1): Mistake[] =>
    rows
      .filter((row) => row.label === label && row.score >= threshold === (label === 0))
      .sort((a, b) => (label === 0 ? b.score - a.score : a.score - b.score))
      .slice(0, count)
      .map(({ key, score }) => ({ key, score }));
  return { falsePositives: wrong(0), falseNegatives: wrong(1) };
}
