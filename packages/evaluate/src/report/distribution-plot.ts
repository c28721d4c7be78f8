import type { Evaluation } from '../measures/evaluate.js';
import { percentText, smallText } from '../measures/format.js';
import type { Tally } from '../measures/tally.js';
import type { Figure } from './figure.js';
import { COLOUR, GRID, legend, marks, TEXT, xAxis, yAxis } from './plot-parts.js';

const BINS = 40;

/** How the scores of both classes are spread: harmful rows upwards, safe ones downwards. */
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
    // Of the space between two bins' middles.
    barWidth: (560 - GRID.left - GRID.right) / BINS - 2,
    silent: true,
    color: colour,
    itemStyle: { color: colour },
  };
}
