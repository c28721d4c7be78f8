import {
  bootstrap,
  CONFIDENCE,
  DEFAULT_RESAMPLES,
  DEFAULT_SEED,
  type Intervals,
} from '../intervals/bootstrap.js';
import { brierScore, type CalibrationBin, calibrationBins, expectedCalibrationError } from './calibration.js';
import { type Confusion, confusionAt } from './confusion.js';
import { type GroupMeasures, groupMeasures } from './groups.js';
import { labelled } from './labelled.js';
import { type Mistakes, worstMistakes } from './mistakes.js';
import { averagePrecision } from './precision-recall.js';
import { type Rates, ratesOf } from './rates.js';
import { auc } from './roc.js';
import { bestThreshold, type FixedRate, type ThresholdPoint, thresholdsAtRates } from './sweep.js';
import { type Tally, tallyOf } from './tally.js';

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

/** The measures of a guard on labelled rows. What cannot be said is undefined, never NaN. */
export interface Measures extends Rates {
  auc: number | undefined;
  averagePrecision: number | undefined;
  brier: number | undefined;
  expectedCalibrationError: number | undefined;
}

/** How good a guard's scores are. */
export interface Evaluation {
  rows: number;
  harmful: number;
  safe: number;
  threshold: number;
  measures: Measures;
  confusion: Confusion;
  /** Undefined when none were asked for. */
  bootstrap: { resamples: number; seed: number; confidence: number; intervals: Intervals } | undefined;
  calibration: CalibrationBin[];
  /** Chosen on these very rows: on others they will do a little worse. */
  best: { macroF1: ThresholdPoint | undefined; f1Harmful: ThresholdPoint | undefined };
  atFalsePositiveRates: FixedRate[];
  /** Undefined when no row names a group. */
  groups: GroupMeasures[] | undefined;
  mistakes: Mistakes;
  /** What the curves are drawn from. */
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
