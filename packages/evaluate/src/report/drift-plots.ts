import { filledBins } from '../drift/difference-histogram.js';
import type { ComparedRow, Drift } from '../drift/drift.js';
import { countText, measureText, smallText } from '../measures/format.js';
import type { Figure } from './figure.js';
import { COLOUR, dots, GRID, line, marks, type Point, TEXT, thinned, xAxis, yAxis } from './plot-parts.js';

/** Dots of a plot; more would hide one another. */
const DOTS = 1500;

/** How many rows differ by how much. */
export function differencePlot(drift: Drift): Figure {
  const bins = filledBins(drift.histogram);
  return {
    id: 'differences',
    title: 'Sizes of the differences',
    description: `Mean ${smallText(drift.meanDifference)}, largest ${smallText(drift.maxDifference)}; the table of sizes has the numbers.`,
    caption: `Rows by |B - A|, each bin about three times as wide as the one before. Mean ${smallText(drift.meanDifference)}, largest ${smallText(drift.maxDifference)}.`,
    option: {
      grid: { ...GRID, bottom: bins.length > 8 ? 84 : GRID.bottom, left: 72 },
      xAxis: xAxis('|difference| up to', {
        type: 'category',
        data: bins.map(({ to }) => smallText(to)),
        min: undefined,
        max: undefined,
        nameGap: bins.length > 8 ? 60 : 32,
        splitLine: { show: false },
        axisLabel: { ...TEXT, rotate: bins.length > 8 ? 45 : 0, interval: 0 },
      }),
      yAxis: yAxis('rows', { min: 0, max: undefined, nameGap: 52 }),
      series: [
        {
          type: 'bar',
          data: bins.map(({ rows }) => rows),
          silent: true,
          color: COLOUR.accent,
          itemStyle: { color: COLOUR.accent },
          label: {
            show: true,
            position: 'top',
            color: COLOUR.ink,
            fontSize: 12,
            formatter: ({ value }: { value: number }) => (value === 0 ? '' : countText(value)),
          },
        },
      ],
    },
  };
}

/** The scores of both, row by row. */
export function scatterPlot(rows: readonly ComparedRow[], drift: Drift): Figure {
  // Sorted by difference, so that thinning keeps the far ones as well as the near.
  const sorted = rows.toSorted((one, other) => Math.abs(other.b - other.a) - Math.abs(one.b - one.a));
  const shown = thinned(sorted, DOTS).map(({ a, b }): Point => [a, b]);
  const { thresholds, flips } = drift;
  const some =
    shown.length < rows.length ? ` ${countText(shown.length)} of ${countText(rows.length)} rows.` : '';
  return {
    id: 'scatter',
    title: 'Scores of A and B',
    description: `Pearson's correlation ${measureText(drift.pearson)}; ${countText(flips.toHarmful + flips.toSafe)} rows flip.`,
    caption: `On the diagonal both agree. The dashed lines are the thresholds: rows in the upper left and lower right flip.${some}`,
    option: {
      grid: GRID,
      xAxis: xAxis('score of A'),
      yAxis: yAxis('score of B'),
      series: [
        {
          ...line(
            'equal',
            [
              [0, 0],
              [1, 1],
            ],
            COLOUR.muted,
          ),
          ...marks({ x: thresholds.a }, { y: thresholds.b }),
        },
        dots('rows', shown, COLOUR.accent, 5),
      ],
    },
  };
}
