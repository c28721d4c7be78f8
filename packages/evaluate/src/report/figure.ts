import { BarChart, LineChart, ScatterChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent } from 'echarts/components';
import { type EChartsCoreOption, init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
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
  const drawn = svg
    // Instances are numbered through the process: a page must not depend on what was drawn before it.
    .replaceAll(/\bzr\d+-/g, `${id}-`)
    .replace(/^<svg width="\d+" height="\d+"/, '<svg')
    .replace(/^<svg/, html`<svg role="img" aria-label="${`${title}. ${description}`}"`.text);
  return html`<figure>
${new Html(drawn)}
<figcaption><strong>${title}.</strong> ${caption}</figcaption>
</figure>
`;
}
