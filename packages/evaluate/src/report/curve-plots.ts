import { precisionRecallCurve, rocCurve } from '../measures/curves.js';
import type { Evaluation } from '../measures/evaluate.js';
import { measureText, percentText, smallText } from '../measures/format.js';
import {
  COLOUR,
  dots,
  type Figure,
  GRID,
  legend,
  line,
  type Point,
  thinned,
  xAxis,
  yAxis,
} from './figure.js';

/** Most points of a curve that a plot of this size can show. */
const CURVE_POINTS = 600;

/** The ROC curve with the threshold in use. Undefined unless both classes have rows. */
export function rocPlot({ tally, measures, threshold }: Evaluation): Figure | undefined {
  const curve = rocCurve(tally);
  if (curve === undefined) return undefined;
  const points = thinned(curve, CURVE_POINTS).map(
    ({ falsePositiveRate, truePositiveRate }): Point => [falsePositiveRate, truePositiveRate],
  );
  const here: Point = [measures.falsePositiveRate ?? 0, measures.recall ?? 0];
  const inUse = `threshold ${smallText(threshold)}`;
  return {
    id: 'roc',
    title: 'ROC curve',
    description: `AUC ${measureText(measures.auc)}. At ${inUse}: false-positive rate ${percentText(here[0])}, recall ${percentText(here[1])}.`,
    caption: `AUC ${measureText(measures.auc)}: how often a harmful row scores higher than a safe one. The dashed line is chance.`,
    option: {
      grid: GRID,
      legend: legend(['guard'], [inUse]),
      xAxis: xAxis('false-positive rate'),
      yAxis: yAxis('recall (true-positive rate)'),
      series: [
        line(
          'chance',
          [
            [0, 0],
            [1, 1],
          ],
          COLOUR.muted,
          'dashed',
        ),
        line('guard', points, COLOUR.accent),
        dots(inUse, [here], COLOUR.harmful, 12),
      ],
    },
  };
}

/** The precision-recall curve with the threshold in use. Undefined without harmful rows. */
export function precisionRecallPlot(evaluation: Evaluation): Figure | undefined {
  const { tally, measures, threshold, harmful, rows } = evaluation;
  const curve = precisionRecallCurve(tally);
  if (curve === undefined) return undefined;
  const points = thinned(curve, CURVE_POINTS).map(({ recall, precision }): Point => [recall, precision]);
  const inUse = `threshold ${smallText(threshold)}`;
  const { recall, precision } = measures;
  const here: Point[] = recall === undefined || precision === undefined ? [] : [[recall, precision]];
  const share = harmful / rows;
  return {
    id: 'pr',
    title: 'Precision and recall',
    description: `Average precision ${measureText(measures.averagePrecision)}. At ${inUse}: precision ${percentText(precision)}, recall ${percentText(recall)}.`,
    caption: `Average precision ${measureText(measures.averagePrecision)}. The dashed line is chance: ${percentText(share)} of the rows are harmful.`,
    option: {
      grid: GRID,
      legend: legend(['guard'], here.length > 0 ? [inUse] : []),
      xAxis: xAxis('recall'),
      yAxis: yAxis('precision'),
      series: [
        line(
          'chance',
          [
            [0, share],
            [1, share],
          ],
          COLOUR.muted,
          'dashed',
        ),
        // A step at each score, as average precision counts it.
        { ...line('guard', points, COLOUR.accent), step: 'start' },
        dots(inUse, here, COLOUR.harmful, 12),
      ],
    },
  };
}

const SMALLEST_DOT = 6;
const LARGEST_DOT = 26;

/** The calibration plot. */
export function calibrationPlot({ calibration, measures, rows }: Evaluation): Figure {
  const filled = calibration.flatMap(({ meanScore, harmfulShare, rows: count }) =>
    meanScore === undefined || harmfulShare === undefined ? [] : [{ meanScore, harmfulShare, count }],
  );
  const points = filled.map(({ meanScore, harmfulShare }): Point => [meanScore, harmfulShare]);
  const sizes = filled.map(
    ({ count }) => SMALLEST_DOT + (LARGEST_DOT - SMALLEST_DOT) * Math.sqrt(count / Math.max(rows, 1)),
  );
  const error = measureText(measures.expectedCalibrationError);
  return {
    id: 'calibration',
    title: 'Calibration',
    description: `Expected calibration error ${error} over ${calibration.length} bins of equal width; the table of bins has the numbers.`,
    caption: `Expected calibration error ${error} over ${calibration.length} bins. On the dashed line scores are perfectly calibrated; below it they are too high. Larger dots have more rows.`,
    option: {
      grid: GRID,
      legend: legend(['guard', 'calibrated']),
      xAxis: xAxis('mean score of the bin'),
      yAxis: yAxis('share that is harmful'),
      series: [
        line(
          'calibrated',
          [
            [0, 0],
            [1, 1],
          ],
          COLOUR.muted,
          'dashed',
        ),
        line('guard', points, COLOUR.accent),
        dots('guard', points, COLOUR.accent, sizes),
      ],
    },
  };
}
