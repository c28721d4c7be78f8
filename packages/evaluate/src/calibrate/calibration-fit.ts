import { DEFAULT_SEED } from '../intervals/bootstrap.js';
import { calibrationBins, expectedCalibrationError } from '../measures/calibration.js';
import { type EvaluatedRow, type Evaluation, evaluate } from '../measures/evaluate.js';
import { labelled, tallyOf } from '../measures/tally.js';
import { calibrated, fitPlatt, isSaturated, logitOf, type Platt } from './platt.js';
import { type ReachedRate, thresholdFor, type WantedRate } from './wanted-rate.js';

/** A labelled row; rows with the same `content` are always in the same fold. */
export interface CalibrationRow extends EvaluatedRow {
  content: string;
}

/** Fewest rows per class: with fewer, the calibration error of a fold says nothing. */
export const FEWEST_PER_CLASS = 30;
const FOLDS = 5;

/** Why rows cannot be calibrated on. */
export type CalibrationProblem =
  | { kind: 'one class'; label: 0 | 1 }
  /** `needed` rows more of each class. */
  | { kind: 'too few'; harmful: number; safe: number; needed: { harmful: number; safe: number } }
  /** A higher score does not make a harmful row more likely. */
  | { kind: 'no order'; slope: number }
  /** No threshold reaches the wanted rate; `highest` is the best one. */
  | { kind: 'out of reach'; wanted: WantedRate; highest: number };

export interface CalibrationFit extends Platt {
  /** Distinct contents. */
  contents: number;
  /** Rows whose score is too near to 0 or 1 to have an exact logit. */
  saturated: number;
  /** The old threshold and the same one in calibrated scores. */
  threshold: { before: number; after: number };
  /** Of the scores as they are. */
  before: Evaluation;
  /** Of each row's calibrated score, with slope and offset fitted without its fold. */
  after: Evaluation;
  folds: { count: number; error: { before: ErrorRange; after: ErrorRange } };
  /** On the calibrated scores of the final fit. */
  wanted: (WantedRate & ReachedRate) | undefined;
}

/** Lowest and highest expected calibration error of a fold. */
interface ErrorRange {
  low: number;
  high: number;
}

/**
 * Fits Platt scaling on all rows, and measures it by cross-validation: 5 folds, chosen by content and class, not by
 * the order of the rows. Deterministic.
 * @returns the reason when the rows do not support a fit
 */
export function calibrate(
  rows: readonly CalibrationRow[],
  { threshold, wanted }: { threshold: number; wanted?: WantedRate },
): CalibrationFit | CalibrationProblem {
  const problem = tooFew(rows);
  if (problem !== undefined) return problem;
  const fit = fitRows(rows);
  if (fit.slope <= 0) return { kind: 'no order', slope: fit.slope };
  const rate = wanted && thresholdFor(tallyOf(labelledRows(rows, fit)), wanted);
  if (wanted !== undefined && rate !== undefined && 'highest' in rate) {
    return { kind: 'out of reach', wanted, highest: rate.highest };
  }
  const mapped = calibrated(threshold, fit);
  const foldOf = foldsByContent(rows);
  const heldOut = [...rows];
  const errors: { before: number[]; after: number[] } = { before: [], after: [] };
  for (let fold = 0; fold < FOLDS; fold++) {
    const inside = (row: CalibrationRow): boolean => foldOf.get(row.content) === fold;
    const held = rows.filter(inside);
    const own = fitRows(rows.filter((row) => !inside(row)));
    errors.before.push(errorOf(labelledRows(held)));
    errors.after.push(errorOf(labelledRows(held, own)));
    for (const [i, row] of rows.entries()) {
      if (inside(row)) heldOut[i] = { ...row, score: calibrated(row.score, own) };
    }
  }
  const options = { resamples: 0, seed: DEFAULT_SEED };
  return {
    ...fit,
    contents: foldOf.size,
    saturated: rows.filter(({ score }) => isSaturated(score)).length,
    threshold: { before: threshold, after: mapped },
    before: evaluate(rows, { ...options, threshold }),
    after: evaluate(heldOut, { ...options, threshold: mapped }),
    folds: { count: FOLDS, error: { before: rangeOf(errors.before), after: rangeOf(errors.after) } },
    wanted: wanted && rate && !('highest' in rate) ? { ...wanted, ...rate } : undefined,
  };
}

/** Counts contents: a text that occurs twice is one piece of evidence. */
function tooFew(rows: readonly CalibrationRow[]): CalibrationProblem | undefined {
  const of = (wanted: 0 | 1): number =>
    new Set(rows.filter(({ label }) => label === wanted).map(({ content }) => content)).size;
  const [safe, harmful] = [of(0), of(1)];
  if (harmful === 0 && safe > 0) return { kind: 'one class', label: 0 };
  if (safe === 0 && harmful > 0) return { kind: 'one class', label: 1 };
  const needed = {
    harmful: Math.max(0, FEWEST_PER_CLASS - harmful),
    safe: Math.max(0, FEWEST_PER_CLASS - safe),
  };
  return needed.harmful + needed.safe === 0 ? undefined : { kind: 'too few', harmful, safe, needed };
}

function fitRows(rows: readonly CalibrationRow[]): Platt {
  return fitPlatt(
    rows.map(({ score }) => logitOf(score)),
    rows.map(({ label }) => label),
  );
}

function labelledRows(rows: readonly CalibrationRow[], fit?: Platt): ReturnType<typeof labelled> {
  return labelled(
    rows.map(({ score }) => (fit === undefined ? score : calibrated(score, fit))),
    rows.map(({ label }) => label),
  );
}

/** Contents sorted by class, then identity, dealt out in turn: every fold gets its share of both classes. */
function foldsByContent(rows: readonly CalibrationRow[]): Map<string, number> {
  const labels = new Map<string, number>();
  for (const { content, label } of rows) labels.set(content, Math.max(label, labels.get(content) ?? 0));
  const order = [...labels].sort(([a, x], [b, y]) => x - y || (a < b ? -1 : 1));
  return new Map(order.map(([content], i) => [content, i % FOLDS]));
}

const errorOf = (rows: ReturnType<typeof labelled>): number =>
  expectedCalibrationError(calibrationBins(rows)) ?? 0;

const rangeOf = (values: readonly number[]): ErrorRange => ({
  low: Math.min(...values),
  high: Math.max(...values),
});
