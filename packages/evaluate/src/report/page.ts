import escapeHtml from 'escape-html';
import type { TextTable } from '../measures/tables.js';

/** Markup that is inserted without escaping. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

/** Template values: strings and numbers are escaped, markup is not, lists are joined, undefined is empty. */
export type Part = string | number | undefined | Html | readonly Part[];

/** A template of markup: html`<p>${text}</p>`. */
export function html(strings: TemplateStringsArray, ...parts: Part[]): Html {
  return new Html(strings.map((markup, i) => markup + markupOf(parts[i])).join(''));
}

function markupOf(part: Part): string {
  if (part === undefined) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(markupOf).join('');
  return escapeHtml(String(part));
}

/** A table with a caption; the first cell of each row is its heading. */
export function tableOf(caption: string, { head, rows }: TextTable): Html {
  const heads = head.map((name) => html`<th scope="col">${name}</th>`);
  const body = rows.map(
    ([name, ...cells]) =>
      html`<tr><th scope="row">${name}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>\n`,
  );
  return html`<div class="scroll"><table>
<caption>${caption}</caption>
<thead><tr>${heads}</tr></thead>
<tbody>
${body}</tbody>
</table></div>
`;
}

/** Content security policy: only the page's own styles; no scripts, no external resources. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A single-file page. */
export function page(title: string, body: Part): string {
  const { text } = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<style>${new Html(STYLE)}</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`;
  return text;
}

/** Facts about a report: names and values. */
export function facts(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>\n`;
}

/** A section with its heading. */
export function section(title: string, ...content: Part[]): Html {
  return html`<section>\n<h2>${title}</h2>\n${content}</section>\n`;
}

/** The key figures. */
export function tiles(entries: readonly { name: string; value: string; note?: string }[]): Html {
  const tile = ({ name, value, note }: { name: string; value: string; note?: string }): Html =>
    html`<li>${name} <strong>${value}</strong>${note === undefined ? undefined : html` <small>${note}</small>`}</li>\n`;
  return html`<ul class="tiles">\n${entries.map(tile)}</ul>\n`;
}

/** Styles of a report. Plots use the same variables, so they follow the dark colour scheme too. */
const STYLE = `
:root {
  color-scheme: light dark;
  --page: #ffffff; --raised: #f6f7f9; --ink: #1b222d; --muted: #5a6473; --grid: #e1e5ea;
  --accent: #1d4ed8; --harmful: #c2410c; --safe: #0f766e; --third: #7c3aed;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #11151b; --raised: #1a2029; --ink: #e7eaf0; --muted: #a0a9b8; --grid: #2d3541;
    --accent: #82a8ff; --harmful: #fb923c; --safe: #2dd4bf; --third: #c4a5ff;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2rem 1.25rem 4rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0 0 1.25rem; font-size: 1.7rem; line-height: 1.2; overflow-wrap: anywhere; }
h2 { margin: 2.75rem 0 0.75rem; font-size: 1.2rem; }
p { max-width: 46rem; }
p, li, figcaption, caption { color: var(--muted); }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.25rem; margin: 0; }
dl.facts dt { color: var(--muted); }
dl.facts dd { margin: 0; overflow-wrap: anywhere; }
ul.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(12.5rem, 1fr)); gap: 0.75rem; margin: 1.75rem 0 0;
  padding: 0; list-style: none; }
ul.tiles li { padding: 0.75rem 1rem; border-radius: 0.5rem; background: var(--raised); }
ul.tiles strong { display: block; color: var(--ink); font-size: 1.45rem; line-height: 1.4; white-space: nowrap; font-variant-numeric: tabular-nums; }
ul.tiles small { display: block; font-size: 0.8rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { padding: 0 0 0.4rem; text-align: left; font-size: 0.9rem; white-space: nowrap; }
th, td { padding: 0.3rem 1.1rem 0.3rem 0; border-bottom: 1px solid var(--grid); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
thead th { color: var(--muted); font-weight: 500; }
tbody th { font-weight: 400; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(30rem, 100%), 1fr)); gap: 1.5rem 2rem; }
figure { margin: 0; }
figure svg { display: block; width: 100%; height: auto; }
figcaption { max-width: 34rem; font-size: 0.875rem; }
.side { display: flex; flex-wrap: wrap; gap: 1.5rem 4rem; }
@media print { body { max-width: none; padding: 0; } figure, table { break-inside: avoid; } }
`;
