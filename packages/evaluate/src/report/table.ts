import type { TextTable } from '../measures/tables.js';
import { type Html, html } from './html.js';

/** A table with a caption; the first cell of a row is its heading. */
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
