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
