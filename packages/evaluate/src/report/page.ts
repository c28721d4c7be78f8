import { Html, html, type Part } from './html.js';
import { STYLE } from './style.js';

/** Nothing is loaded and nothing runs: the page's own styles are all that it may use. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** A page that is one file. */
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

/** What a report is about: names and values. */
export function facts(entries: readonly (readonly [string, string])[]): Html {
  return html`<dl class="facts">${entries.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>\n`)}</dl>\n`;
}

/** A heading and what belongs to it. */
export function section(title: string, ...content: Part[]): Html {
  return html`<section>\n<h2>${title}</h2>\n${content}</section>\n`;
}

/** The few numbers that matter most. */
export function tiles(entries: readonly { name: string; value: string; note?: string | undefined }[]): Html {
  const tile = ({ name, value, note }: { name: string; value: string; note?: string | undefined }): Html =>
    html`<li>${name} <strong>${value}</strong>${note === undefined ? undefined : html` <small>${note}</small>`}</li>\n`;
  return html`<ul class="tiles">\n${entries.map(tile)}</ul>\n`;
}
