import type { ComparedRow, Drift } from '../drift/drift.js';
import { countText, measureText, smallText } from '../measures/format.js';
import { driftTable, histogramTable, judgementTable, pairedTable, printable } from '../measures/tables.js';
import { differencePlot, scatterPlot } from './drift-plots.js';
import type { Fact } from './evaluation-report.js';
import { figure } from './figure.js';
import { html, type Part } from './html.js';
import { facts, page, section, tiles } from './page.js';
import { tableOf } from './table.js';

/**
 * The drift between two guards as one HTML file: it loads nothing, runs nothing, and holds no text of a row (only keys).
 * @param rows that the drift was measured on
 * @param about shown on top
 */
export function driftReport(drift: Drift, rows: readonly ComparedRow[], about: readonly Fact[]): string {
  const { flips, labelled, largest } = drift;
  return page('Drift between two guards', [
    facts(about),
    tiles([
      { name: 'Largest difference', value: smallText(drift.maxDifference) },
      { name: 'Mean difference', value: smallText(drift.meanDifference) },
      {
        name: 'Flips',
        value: countText(flips.toHarmful + flips.toSafe),
        note: `${countText(flips.toHarmful)} to harmful, ${countText(flips.toSafe)} to safe`,
      },
      ...(labelled === undefined
        ? []
        : [
            {
              name: 'Macro F1',
              value: `${measureText(labelled.a.macroF1)} → ${measureText(labelled.b.macroF1)}`,
              note: `on ${countText(labelled.rows)} rows with a label`,
            },
          ]),
    ]),
    section(
      'Differences',
      html`<div class="side">${tableOf('How far apart the scores are', driftTable(drift))}
${tableOf('Rows by size of the difference', histogramTable(drift))}</div>`,
    ),
    section(
      'Plots',
      html`<div class="plots">\n${figure(differencePlot(drift))}${figure(scatterPlot(rows, drift))}</div>\n`,
    ),
    judgements(drift),
    section(
      'Rows that differ most',
      tableOf('By key', {
        head: ['key', 'A', 'B', 'B - A'],
        rows:
          largest.length === 0
            ? [['none', '', '', '']]
            : largest.map(({ key, a, b }) => [printable(key), smallText(a), smallText(b), smallText(b - a)]),
      }),
    ),
  ]);
}

function judgements(drift: Drift): Part {
  const { labelled } = drift;
  const measures = judgementTable(drift);
  const paired = pairedTable(drift);
  if (labelled === undefined || measures === undefined || paired === undefined) return undefined;
  const { onlyARight, onlyBRight, pValue } = labelled.paired;
  const said = `Of ${countText(onlyARight + onlyBRight)} rows where only one is right, A is right on ${countText(onlyARight)} and B on ${countText(onlyBRight)} (McNemar's exact test: p = ${smallText(pValue)}).`;
  return section(
    'What the labels say',
    html`<div class="side">${tableOf('Each at its threshold', measures)}
${tableOf('Rows judged rightly', paired)}</div>\n<p>${said}</p>\n`,
  );
}
