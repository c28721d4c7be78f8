import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { smallText } from '../measures/format.js';
import { Html, html } from './page.js';

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer]);

const WIDTH = 560;
const HEIGHT = 400;

export interface Figure {
  /** Prefix of the plot's element ids; letters only. */
  id: string;
  title: string;
  /** Text alternative for screen readers. */
  description: string;
  caption: string;
  option: EChartsCoreOption;
}

/** Renders a plot as SVG markup, without a browser and without scripts in it. */
export function figure({ id, title, description, caption, option }: Figure): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  let svg: string;
  try {
    chart.setOption({ animation: false, ...option });
    svg = chart.renderToSVGString();
  } finally {
    // The instance holds a timer, which would keep the process alive.
    chart.dispose();
  }
  const named = html`<svg role="img" aria-label="${`${title}. ${description}`}"`.text;
  const drawn = still(svg, id).replace(/^<svg width="\d+" height="\d+"/, named);
  return html`<figure>
${new Html(drawn)}
<figcaption><strong>${title}.</strong> ${caption}</figcaption>
</figure>
`;
}

/** Removes what only scripts or pointers use, and ids that depend on plots drawn earlier. */
function still(svg: string, id: string): string {
  return (
    svg
      .replaceAll(/<style\b[\s\S]*?<\/style>/g, '')
      .replaceAll(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
      .replaceAll(/\bzr\d+-/g, `${id}-`)
      // The default fill of shapes without one: clipping paths and legend lines.
      .replaceAll('fill="#000"', 'fill="none"')
  );
}

/** Plot colours are CSS variables of the page, so that one drawing serves light and dark mode. */
export const COLOUR = {
  ink: 'var(--ink)',
  muted: 'var(--muted)',
  grid: 'var(--grid)',
  accent: 'var(--accent)',
  harmful: 'var(--harmful)',
  safe: 'var(--safe)',
  third: 'var(--third)',
} as const;

export type Point = readonly [number, number];

export const TEXT = { color: COLOUR.muted, fontSize: 13, fontFamily: 'system-ui, sans-serif' } as const;

/** Position of the axes. */
export const GRID = { left: 64, right: 24, top: 52, bottom: 56 } as const;

const axisLook = {
  axisLine: { show: true, lineStyle: { color: COLOUR.muted } },
  axisTick: { show: true, lineStyle: { color: COLOUR.muted } },
  splitLine: { show: true, lineStyle: { color: COLOUR.grid } },
  axisLabel: TEXT,
  nameTextStyle: { ...TEXT, color: COLOUR.ink },
  nameLocation: 'middle',
} as const;

/** The bottom axis; 0 to 1 unless `more` says otherwise. */
export function xAxis(name: string, more: object = {}): object {
  return { type: 'value', min: 0, max: 1, name, nameGap: 32, ...axisLook, ...more };
}

/** The left axis; 0 to 1 unless `more` says otherwise. */
export function yAxis(name: string, more: object = {}): object {
  return { type: 'value', min: 0, max: 1, name, nameGap: 46, ...axisLook, ...more };
}

/** A legend above the plot: these series, each as a line, or as a dot or bar. */
export function legend(lines: readonly string[], others: readonly string[] = []): object {
  // The default legend icon of a line has a dot, which the line itself lacks.
  const keys = [
    ...lines.map((name) => ({ name, itemStyle: { opacity: 0 } })),
    ...others.map((name) => ({ name })),
  ];
  return {
    data: keys,
    top: 2,
    itemGap: 28,
    itemWidth: 26,
    itemHeight: 10,
    backgroundColor: 'transparent',
    borderColor: 'transparent',
    textStyle: { ...TEXT, color: COLOUR.ink },
  };
}

export type Dash = 'solid' | 'dashed' | 'dotted';

/** A line through points. */
export function line(name: string, points: readonly Point[], colour: string, dash: Dash = 'solid'): object {
  return {
    type: 'line',
    name,
    data: points,
    symbol: 'none',
    silent: true,
    color: colour,
    lineStyle: { color: colour, width: dash === 'solid' ? 2 : 1.5, type: dash },
    itemStyle: { color: colour },
  };
}

/** Single points. */
export function dots(
  name: string,
  points: readonly Point[],
  colour: string,
  size: number | number[] = 10,
): object {
  const sized = points.map((value, i) => ({
    value,
    symbolSize: typeof size === 'number' ? size : (size[i] ?? 4),
  }));
  return {
    type: 'scatter',
    name,
    data: sized,
    silent: true,
    color: colour,
    itemStyle: { color: colour, borderColor: 'var(--page)', borderWidth: 1, opacity: 1 },
    z: 5,
  };
}

/** Lines across the plot at certain values, part of a series. */
export function marks(...values: readonly ({ x: number } | { y: number })[]): object {
  return {
    markLine: {
      silent: true,
      symbol: 'none',
      animation: false,
      lineStyle: { color: COLOUR.ink, width: 1, type: 'dashed' },
      data: values.map((value) => ({
        ...('x' in value ? { xAxis: value.x } : { yAxis: value.y }),
        label: {
          ...TEXT,
          color: COLOUR.ink,
          formatter: smallText('x' in value ? value.x : value.y),
          position: 'end',
          distance: 4,
        },
      })),
    },
  };
}

/** Thins points to at most `most`, keeping the first and the last. */
export function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => points[Math.round(i * step)]).filter(
    (point) => point !== undefined,
  );
}
