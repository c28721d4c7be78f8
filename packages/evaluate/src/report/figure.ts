import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import { smallText } from '../measures/format.js';
import { Html, html } from './html.js';

use([BarChart, LineChart, ScatterChart, GridComponent, LegendComponent, MarkLineComponent, SVGRenderer]);

const WIDTH = 560;
const HEIGHT = 400;

export interface Figure {
  /** Names the plot's parts on a page; letters only. */
  id: string;
  title: string;
  /** What a person who cannot see it should know. */
  description: string;
  caption: string;
  option: EChartsCoreOption;
}

/** Draws a plot as SVG markup, without a browser and without scripts in it. */
export function figure({ id, title, description, caption, option }: Figure): Html {
  const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
  let svg: string;
  try {
    chart.setOption({ animation: false, ...option });
    svg = chart.renderToSVGString();
  } finally {
    // An instance keeps a timer, and the timer the process.
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

/** Takes out what only a script or a pointer would use, and what depends on the plots that were drawn before. */
function still(svg: string, id: string): string {
  return (
    svg
      .replaceAll(/<style\b[\s\S]*?<\/style>/g, '')
      .replaceAll(/ (?:class|pointer-events|ecmeta_\w+)="[^"]*"/g, '')
      .replaceAll(/\bzr\d+-/g, `${id}-`)
      // The colour of areas that have none: clipping paths, and the lines of a legend.
      .replaceAll('fill="#000"', 'fill="none"')
  );
}

/** Colours of plots: variables of the page's style, so that one drawing serves light and dark. */
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

/** Where the axes stand. */
export const GRID = { left: 64, right: 24, top: 52, bottom: 56 } as const;

const axisLook = {
  axisLine: { show: true, lineStyle: { color: COLOUR.muted } },
  axisTick: { show: true, lineStyle: { color: COLOUR.muted } },
  splitLine: { show: true, lineStyle: { color: COLOUR.grid } },
  axisLabel: TEXT,
  nameTextStyle: { ...TEXT, color: COLOUR.ink },
  nameLocation: 'middle',
} as const;

/** An axis along the bottom; 0 to 1 unless `more` says otherwise. */
export function xAxis(name: string, more: object = {}): object {
  return { type: 'value', min: 0, max: 1, name, nameGap: 32, ...axisLook, ...more };
}

/** An axis along the left side; 0 to 1 unless `more` says otherwise. */
export function yAxis(name: string, more: object = {}): object {
  return { type: 'value', min: 0, max: 1, name, nameGap: 46, ...axisLook, ...more };
}

/** A legend above the plot: these series, each as a line, or as a dot or bar. */
export function legend(lines: readonly string[], others: readonly string[] = []): object {
  // A line's key would have a dot on it, which the line itself has not.
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

/** Lines across the plot at certain values, as a part of a series. */
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

/** At most so many points, the first and the last among them. */
export function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, i) => points[Math.round(i * step)]).filter(
    (point) => point !== undefined,
  );
}
