import {
  bootstrap,
  CONFIDENCE,
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
  type Intervals,
} from '../intervals/bootstrap.js';
import { brierScore, type CalibrationBin, calibrationBins, expectedCalibrationError } from './calibration.js';
import {
  bestThreshold,
  type Confusion,
  confusionAt,
  type FixedRate,
  type Rates,
  ratesOf,
  type ThresholdPoint,
  thresholdsAtRates,
} from './confusion.js';
import { auc, averagePrecision } from './curves.js';
import { labelled, type Tally, tallyOf } from './tally.js';

/** A row that has both a score and a label. */
export interface EvaluatedRow {
  key: string;
  /** P(harmful), in [0, 1]. */
  score: number;
  /** 1 harmful, 0 safe. */
  label: 0 | 1;
  group?: string;
}

export interface EvaluateOptions {
  /** A row is flagged when score >= threshold. */
  threshold: number;
  /** Resamples of the bootstrap; 0 for no intervals. Default: `DEFAULT_RESAMPLES`. */
  resamples?: number;
  /** Default: `DEFAULT_SEED`. */
  seed?: number;
}

/** The measures of a guard on labelled rows. What cannot be computed is undefined, never NaN. */
export interface Measures extends Rates {
  auc: number | undefined;
  averagePrecision: number | undefined;
  brier: number | undefined;
  expectedCalibrationError: number | undefined;
}

/** The quality of a guard's scores. */
export interface Evaluation {
  rows: number;
  harmful: number;
  safe: number;
  threshold: number;
  measures: Measures;
  confusion: Confusion;
  /** Undefined when no intervals were requested. */
  bootstrap: { resamples: number; seed: number; confidence: number; intervals: Intervals } | undefined;
  calibration: CalibrationBin[];
  /** Chosen on these rows: expect slightly worse results on others. */
  best: { macroF1: ThresholdPoint | undefined; f1Harmful: ThresholdPoint | undefined };
  atFalsePositiveRates: FixedRate[];
  /** Undefined when no row has a group. */
  groups: GroupMeasures[] | undefined;
  mistakes: Mistakes;
  /** Data for the curves. */
  tally: Tally;
}

/** Measures labelled scores. O(rows log rows), and the bootstrap. */
export function evaluate(rows: readonly EvaluatedRow[], options: EvaluateOptions): Evaluation {
  const { threshold, resamples = DEFAULT_RESAMPLES, seed = DEFAULT_SEED } = options;
  const data = labelled(
    rows.map(({ score }) => score),
    rows.map(({ label }) => label),
  );
  const tally = tallyOf(data);
  const confusion = confusionAt(tally, threshold);
  const calibration = calibrationBins(data);
  const grouped = rows.flatMap(({ group, ...row }) => (group === undefined ? [] : [{ ...row, group }]));
  return {
    rows: rows.length,
    ...tally.totals,
    threshold,
    measures: {
      ...ratesOf(confusion),
      auc: auc(tally),
      averagePrecision: averagePrecision(tally),
      brier: brierScore(data),
      expectedCalibrationError: expectedCalibrationError(calibration),
    },
    confusion,
    bootstrap:
      resamples === 0
        ? undefined
        : {
            resamples,
            seed,
            confidence: CONFIDENCE,
            intervals: bootstrap(data, tally, { threshold, resamples, seed }),
          },
    calibration,
    best: { macroF1: bestThreshold(tally, 'macroF1'), f1Harmful: bestThreshold(tally, 'f1Harmful') },
    atFalsePositiveRates: thresholdsAtRates(tally),
    groups: grouped.length === 0 ? undefined : groupMeasures(grouped, threshold),
    mistakes: worstMistakes(rows, threshold),
    tally,
  };
}

/** Groups with fewer rows are marked as small: a share measured on 30 rows is uncertain by about ±0.18. */
export const FEW_ROWS = 30;

/** The measures of the rows that share a value of the group field. */
export interface GroupMeasures extends Rates {
  group: string;
  rows: number;
  harmful: number;
  flagged: number;
  auc: number | undefined;
  /** Fewer than `FEW_ROWS` rows. */
  few: boolean;
}

/** A row with its group. */
interface GroupedRow {
  score: number;
  label: 0 | 1;
  group: string;
}

/** One entry per group, largest first; ties by name. */
function groupMeasures(rows: Iterable<GroupedRow>, threshold: number): GroupMeasures[] {
  const members = new Map<string, { scores: number[]; labels: number[] }>();
  for (const { score, label, group } of rows) {
    let own = members.get(group);
    if (own === undefined) {
      own = { scores: [], labels: [] };
      members.set(group, own);
    }
    own.scores.push(score);
    own.labels.push(label);
  }
  return [...members]
    .map(([group, { scores, labels }]): GroupMeasures => {
      const tally = tallyOf(labelled(scores, labels));
      const confusion = confusionAt(tally, threshold);
      return {
        group,
        rows: scores.length,
        harmful: tally.totals.harmful,
        flagged: confusion.truePositives + confusion.falsePositives,
        ...ratesOf(confusion),
        auc: auc(tally),
        few: scores.length < FEW_ROWS,
      };
    })
    .sort((a, b) => b.rows - a.rows || (a.group < b.group ? -1 : 1));
}

/** A misclassified row: its key, never its text. */
export interface Mistake {
  key: string;
  score: number;
}

interface Mistakes {
  /** Safe rows that are flagged, highest score first. */
  falsePositives: Mistake[];
  /** Harmful rows that are not flagged, lowest score first. */
  falseNegatives: Mistake[];
}

/** How many of each kind are kept. */
const WORST_MISTAKES = 20;

/** The misclassified rows with the most confident scores. */
function worstMistakes(
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
