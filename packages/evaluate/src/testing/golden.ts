import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** scikit-learn's results for labelled scores (`golden/make_golden.py`). */
export interface RankingCase {
  name: string;
  scores: number[];
  labels: number[];
  threshold: number;
  macroF1: number;
  f1Safe: number;
  f1Harmful: number;
  precision: number | null;
  recall: number;
  auc: number;
  averagePrecision: number;
  brier: number;
  expectedCalibrationError: number;
  roc: { falsePositiveRates: number[]; truePositiveRates: number[] };
  bestMacroF1: number;
  bestF1Harmful: number;
  atFalsePositiveRates: ({ threshold: number; recall: number } | null)[];
}

/** numpy's and scipy's results for two lists of scores. */
export interface DriftCase {
  name: string;
  a: number[];
  b: number[];
  labels: number[];
  pearson: number | null;
  spearman: number | null;
  percentiles: number[];
  onlyARight: number;
  onlyBRight: number;
  pValue: number;
}

/** scipy's results for two distributions of scores (`golden/make_distributions.py`). */
export interface DistributionCase {
  name: string;
  before: number[];
  now: number[];
  kolmogorovSmirnov: number;
  populationStability: number;
}

/** scikit-learn's sigmoid calibration (`golden/make_calibrations.py`). */
export interface SigmoidCase {
  name: string;
  scores: number[];
  labels: number[];
  /** The optimum to all digits. */
  slope: number;
  offset: number;
  /** As scikit-learn returned it. */
  sklearn: { slope: number; offset: number };
}

/** scipy's Wilson interval of a share. */
export interface WilsonCase {
  count: number;
  of: number;
  low: number;
  high: number;
}

export const rankingCases = (): RankingCase[] => cases('rankings.json');
export const driftCases = (): DriftCase[] => cases('drifts.json');
export const distributionCases = (): DistributionCase[] => cases('distributions.json');
export const sigmoidCases = (): SigmoidCase[] => cases('calibrations.json');
export const wilsonCases = (): WilsonCase[] => cases('calibrations.json', 'intervals');

function cases<T>(name: string, list = 'cases'): T[] {
  const file = fileURLToPath(new URL(`../../golden/${name}`, import.meta.url));
  return (JSON.parse(readFileSync(file, 'utf8')) as Record<string, T[]>)[list] ?? [];
}
