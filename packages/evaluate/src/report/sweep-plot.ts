import type { Evaluation } from '../measures/evaluate.js';
import { measureText } from '../measures/format.js';
import type { Rates } from '../measures/rates.js';
import { sweep } from '../measures/sweep.js';
import { thresholdText } from '../measures/threshold-text.js';
import type { Figure } from './figure.js';
import {
  COLOUR,
  type Dash,
  GRID,
  legend,
  line,
  marks,
  type Point,
  thinned,
  xAxis,
  yAxis,
} from './plot-parts.js';

const SWEEP_POINTS = 500;

const LINES: readonly [keyof Rates & string, string, string, Dash][] = [
  ['macroF1', 'Macro F1', COLOUR.accent, 'solid'],
  ['precision', 'precision', COLOUR.third, 'dashed'],
  ['recall', 'recall', COLOUR.harmful, 'dashed'],
  ['falsePositiveRate', 'FPR', COLOUR.safe, 'dotted'],
];

/** What every threshold would give. */
export function sweepPlot({ tally, threshold, best }: Evaluation): Figure {
  const points = thinned([...sweep(tally)], SWEEP_POINTS);
  const lines = LINES.map(([measure, name, colour, dash]) => {
    const values = points.flatMap((point): Point[] => {
      const value = point[measure];
      return value === undefined ? [] : [[point.threshold, value]];
    });
    // A threshold between two scores flags what the higher one does, and one below all scores flags everything.
    const last = values.at(-1);
    const whole: Point[] = last === undefined ? [] : [...values, [0, last[1]]];
    return { name, values, series: { ...line(name, whole, colour, dash), step: 'end' } };
  }).filter(({ values }) => values.length > 0);
  const bestText =
    best.macroF1 === undefined
      ? 'It has no best Macro F1: the rows are of one class.'
      : `Macro F1 is best at ${thresholdText(tally, best.macroF1.threshold)}: ${measureText(best.macroF1.macroF1)}.`;
  const [first, ...others] = lines.map(({ series }) => series);
  return {
    id: 'sweep',
    title: 'Thresholds',
    description: bestText,
    caption: `What each threshold would give. ${bestText} The dashed line is the threshold in use.`,
    option: {
      grid: GRID,
      legend: legend(lines.map(({ name }) => name)),
      xAxis: xAxis('threshold'),
      yAxis: yAxis('measure'),
      series: [{ ...first, ...marks({ x: threshold }) }, ...others],
    },
  };
}
