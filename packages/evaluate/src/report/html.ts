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
