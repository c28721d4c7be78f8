import type { Evaluation } from '../measures/evaluate.js';
import { measureText, percentText, smallText } from '../measures/format.js';
import { precisionRecallCurve } from '../measures/precision-recall.js';
import { rocCurve } from '../measures/roc.js';
import type { Figure } from './figure.js';
import { COLOUR, dots, GRID, legend, line, type Point, thinned, xAxis, yAxis } from './plot-parts.js';

/** Points of a curve that a plot this size can show. */
const CURVE_POINTS = 600;

/** The ROC curve with the threshold in use. Undefined for rows of one class. */
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
