import type { CalibrationFit } from '../calibrate/calibration-fit.js';
import { calibrationTable } from '../calibrate/calibration-table.js';
import type { Evaluation } from '../measures/evaluate.js';
import { intervalText, measureText, percentText, smallText } from '../measures/format.js';
import { calibrationPlot } from './curve-plots.js';
import { binTable, type Fact } from './evaluation-report.js';
import { figure } from './figure.js';
import { facts, html, page, section, tableOf, tiles } from './page.js';
import { distributionPlot } from './threshold-plots.js';

/**
 * A calibration as a single HTML file without external resources, scripts or row texts.
 * @param about facts shown at the top
 * @param notes sentences on how to read it
 */
export function calibrationReport(
  fit: CalibrationFit,
  about: readonly Fact[],
  notes: readonly string[],
): string {
  const { before, after, folds } = fit;
  return page('Calibration of a guard', [
    facts(about),
    tiles([
      {
        name: 'Calibration error before',
        value: measureText(before.measures.expectedCalibrationError),
        note: `folds: ${intervalText(folds.error.before)}`,
      },
      {
        name: 'Calibration error after',
        value: measureText(after.measures.expectedCalibrationError),
        note: `folds: ${intervalText(folds.error.after)}`,
      },
      { name: 'Threshold before', value: smallText(fit.threshold.before) },
      {
        name: 'Threshold after',
        value: smallText((fit.wanted ?? { threshold: fit.threshold.after }).threshold),
      },
    ]),
    section('Measures', tableOf('Before, and on held-out rows after', calibrationTable(fit))),
    wantedSection(fit),
    section('Notes', html`<ul>${notes.map((note) => html`<li>${note}</li>\n`)}</ul>\n`),
    section(
      'Plots',
      html`<div class="plots">\n${[...plots('before', before), ...plots('after', after)]}</div>\n`,
    ),
    section('Before, bin by bin', tableOf('Mean score and harmful share', binTable(before.calibration))),
    section('After, bin by bin', tableOf('Mean score and harmful share', binTable(after.calibration))),
  ]);
}

function wantedSection({ wanted }: CalibrationFit): ReturnType<typeof section> | undefined {
  if (wanted === undefined) return undefined;
  const { measure, value, threshold, precision, recall, flagged } = wanted;
  return section(
    `Threshold for a ${measure} of ${percentText(value)}`,
    tableOf('On the rows it was chosen on, with 95 % intervals', {
      head: ['threshold', 'flagged', 'precision', 'interval', 'recall', 'interval'],
      rows: [
        [
          smallText(threshold),
          String(flagged),
          measureText(precision.value),
          intervalText(precision),
          measureText(recall.value),
          intervalText(recall),
        ],
      ],
    }),
  );
}

function plots(when: string, evaluation: Evaluation): ReturnType<typeof figure>[] {
  return [calibrationPlot(evaluation), distributionPlot(evaluation)]
    .filter((plot) => plot !== undefined)
    .map((plot) => figure({ ...plot, id: `${plot.id}-${when}`, title: `${plot.title} ${when}` }));
}
