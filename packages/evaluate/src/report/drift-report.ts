import { type ComparedRow, type Drift, filledBins } from '../drift/drift.js';
import { countText, measureText, smallText } from '../measures/format.js';
import { driftTable, histogramTable, judgementTable, pairedTable, printable } from '../measures/tables.js';
import type { Fact } from './evaluation-report.js';
import {
  COLOUR,
  dots,
  type Figure,
  figure,
  GRID,
  line,
  marks,
  type Point,
  TEXT,
  thinned,
  xAxis,
  yAxis,
} from './figure.js';
import { facts, html, type Part, page, section, tableOf, tiles } from './page.js';

/**
 * The drift between two guards as a single HTML file without external resources, scripts or row texts (only keys).
 * @param rows the drift was measured on
 * @param about facts shown at the top
 */
export function driftReport(drift: Drift, rows: readonly ComparedRow[], about: readonly Fact[]): string {
  const { flips, labelled, largest } = drift;
  return page('Drift between two guards', [
    facts(about),
    tiles([
      { name: 'Largest difference', value: smallText(drift.maxDifference) },
      { name: 'Mean difference', value: smallText(drift.meanDifference) },
      {
        name: 'Flips',
        value: countText(flips.toHarmful + flips.toSafe),
        note: `${countText(flips.toHarmful)} to harmful, ${countText(flips.toSafe)} to safe`,
      },
      ...(labelled === undefined
        ? []
        : [
            {
              name: 'Macro F1',
              value: `${measureText(labelled.a.macroF1)} → ${measureText(labelled.b.macroF1)}`,
              note: `on ${countText(labelled.rows)} rows with a label`,
            },
          ]),
    ]),
    section(
      'Differences',
      html`<div class="side">${tableOf('Differences between the scores', driftTable(drift))}
${tableOf('Rows by size of the difference', histogramTable(drift))}</div>`,
    ),
    section(
      'Plots',
      html`<div class="plots">\n${figure(differencePlot(drift))}${figure(scatterPlot(rows, drift))}</div>\n`,
    ),
    judgements(drift),
    section(
      'Rows that differ most',
      tableOf('By key', {
        head: ['key', 'A', 'B', 'B - A'],
        rows:
          largest.length === 0
            ? [['none', '', '', '']]
            : largest.map(({ key, a, b }) => [printable(key), smallText(a), smallText(b), smallText(b - a)]),
      }),
    ),
  ]);
}

function judgements(drift: Drift): Part {
  const { labelled } = drift;
  const measures = judgementTable(drift);
  const paired = pairedTable(drift);
  if (labelled === undefined || measures === undefined || paired === undefined) return undefined;
  const { onlyARight, onlyBRight, pValue } = labelled.paired;
  const said = `Of ${countText(onlyARight + onlyBRight)} rows that only one classifies correctly, A has ${countText(onlyARight)} and B ${countText(onlyBRight)} (McNemar's exact test: p = ${smallText(pValue)}).`;
  return section(
    'Against the labels',
    html`<div class="side">${tableOf('Each guard at its threshold', measures)}
${tableOf('Correctly classified rows', paired)}</div>\n<p>${said}</p>\n`,
  );
}

/** Most dots of a plot; more would cover each other. */
const DOTS = 1500;

/** The histogram of differences. */
function differencePlot(drift: Drift): Figure {
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

/** Scatter plot of both scores. */
function scatterPlot(rows: readonly ComparedRow[], drift: Drift): Figure {
  // Sorted by difference, so that thinning keeps outliers as well as the rest.
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
