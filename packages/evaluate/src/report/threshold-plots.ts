import { type Rates, sweep } from '../measures/confusion.js';
import type { Evaluation } from '../measures/evaluate.js';
import { measureText, percentText, smallText, thresholdText } from '../measures/format.js';
import type { Tally } from '../measures/tally.js';
import {
  COLOUR,
  type Dash,
  type Figure,
  GRID,
  legend,
  line,
  marks,
  type Point,
  TEXT,
  thinned,
  xAxis,
  yAxis,
} from './figure.js';

const BINS = 40;

/** Histograms of both classes: harmful rows upwards, safe ones downwards. */
export function distributionPlot({ tally, threshold, measures }: Evaluation): Figure {
  const harmful = shares(tally, 'harmful');
  const safe = shares(tally, 'safe');
  const most = Math.max(...harmful, ...safe, 0.01);
  const bound = Math.ceil(most * 20) / 20;
  return {
    id: 'distribution',
    title: 'Scores of both classes',
    description: `At the threshold ${smallText(threshold)}, ${percentText(measures.recall)} of the harmful and ${percentText(measures.falsePositiveRate)} of the safe rows are flagged.`,
    caption: `Share of each class in ${BINS} bins of equal width: harmful rows above the line, safe rows below. Right of the dashed line rows are flagged.`,
    option: {
      grid: GRID,
      legend: legend([], ['harmful', 'safe']),
      xAxis: xAxis('score', {
        containShape: false,
        axisLine: { onZero: false, lineStyle: { color: COLOUR.muted } },
      }),
      yAxis: yAxis('share of the class', {
        min: -bound,
        max: bound,
        axisLabel: {
          ...TEXT,
          formatter: (value: number) => `${Math.round(Math.abs(value) * 100)} %`,
        },
      }),
      series: [
        {
          ...bars('harmful', harmful, COLOUR.harmful),
          ...marks({ x: threshold }),
        },
        bars(
          'safe',
          safe.map((share) => -share),
          COLOUR.safe,
        ),
      ],
    },
  };
}

function shares({ scores, totals, ...counts }: Tally, label: 'harmful' | 'safe'): number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  for (const [cell, score] of scores.entries()) {
    const bin = Math.min(Math.floor(score * BINS), BINS - 1);
    bins[bin] = (bins[bin] ?? 0) + (counts[label][cell] ?? 0);
  }
  return bins.map((count) => count / Math.max(totals[label], 1));
}

function bars(name: string, values: readonly number[], colour: string): object {
  return {
    type: 'bar',
    name,
    stack: 'both',
    data: values.map((value, bin) => [(bin + 0.5) / BINS, value]),
    // Share of the distance between the centres of two bins.
    barWidth: (560 - GRID.left - GRID.right) / BINS - 2,
    silent: true,
    color: colour,
    itemStyle: { color: colour },
  };
}

const SWEEP_POINTS = 500;

const LINES: readonly [keyof Rates & string, string, string, Dash][] = [
  ['macroF1', 'Macro F1', COLOUR.accent, 'solid'],
  ['precision', 'precision', COLOUR.third, 'dashed'],
  ['recall', 'recall', COLOUR.harmful, 'dashed'],
  ['falsePositiveRate', 'FPR', COLOUR.safe, 'dotted'],
];

/** Rates at every threshold. */
export function sweepPlot({ tally, threshold, best }: Evaluation): Figure {
  const points = thinned([...sweep(tally)], SWEEP_POINTS);
  const lines = LINES.map(([measure, name, colour, dash]) => {
    const values = points.flatMap((point): Point[] => {
      const value = point[measure];
      return value === undefined ? [] : [[point.threshold, value]];
    });
    // A threshold between two scores flags the same rows as the higher one; one below all scores flags everything.
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
    caption: `Rates at each threshold. ${bestText} The dashed line is the threshold in use.`,
    option: {
      grid: GRID,
      legend: legend(lines.map(({ name }) => name)),
      xAxis: xAxis('threshold'),
      yAxis: yAxis('measure'),
      series: [{ ...first, ...marks({ x: threshold }) }, ...others],
    },
  };
}
