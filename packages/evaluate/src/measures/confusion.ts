import type { Tally } from './tally.js';

/** What a threshold makes of labelled rows. A row is flagged when score >= threshold. */
export interface Confusion {
  /** Harmful and flagged. */
  truePositives: number;
  /** Safe and flagged. */
  falsePositives: number;
  /** Harmful and not flagged. */
  falseNegatives: number;
  /** Safe and not flagged. */
  trueNegatives: number;
}

export function confusionAt({ scores, harmful, safe, totals }: Tally, threshold: number): Confusion {
  let truePositives = 0;
  let falsePositives = 0;
  for (let cell = 0; cell < scores.length && (scores[cell] ?? 0) >= threshold; cell++) {
    truePositives += harmful[cell] ?? 0;
    falsePositives += safe[cell] ?? 0;
  }
  return confusionOf(totals, truePositives, falsePositives);
}

/** The whole from what was flagged. */
export function confusionOf(
  totals: { harmful: number; safe: number },
  truePositives: number,
  falsePositives: number,
): Confusion {
  return {
    truePositives,
    falsePositives,
    falseNegatives: totals.harmful - truePositives,
    trueNegatives: totals.safe - falsePositives,
  };
}
