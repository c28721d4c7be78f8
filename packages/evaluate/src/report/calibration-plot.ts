import type { Evaluation } from '../measures/evaluate.js';
import { measureText } from '../measures/format.js';
import type { Figure } from './figure.js';
import { COLOUR, dots, GRID, legend, line, type Point, xAxis, yAxis } from './plot-parts.js';

const SMALLEST_DOT = 6;
const LARGEST_DOT = 26;

/** What scores promise against what came true. */
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
    caption: `Expected calibration error ${error} over ${calibration.length} bins. On the dashed line scores mean what they say; below it they are too high. Larger dots hold more rows.`,
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
