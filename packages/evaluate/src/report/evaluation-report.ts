import { CONFIDENCE } from '../intervals/bootstrap.js';
import type { CalibrationBin } from '../measures/calibration.js';
import type { Evaluation, Mistake } from '../measures/evaluate.js';
import { countText, intervalText, measureText, percentText, smallText } from '../measures/format.js';
import {
  confusionTable,
  groupTable,
  measureTable,
  notesOn,
  printable,
  type TextTable,
  thresholdTable,
} from '../measures/tables.js';
import { calibrationPlot, precisionRecallPlot, rocPlot } from './curve-plots.js';
import { figure } from './figure.js';
import { facts, type Html, html, page, section, tableOf, tiles } from './page.js';
import { distributionPlot, sweepPlot } from './threshold-plots.js';

/** A name and a value: the guard, the corpus, the time. */
export type Fact = readonly [name: string, value: string];

/**
 * An evaluation as a single HTML file without external resources, scripts or row texts (only keys).
 * @param about facts shown at the top
 */
export function evaluationReport(evaluation: Evaluation, about: readonly Fact[]): string {
  const { groups, mistakes, calibration } = evaluation;
  const plots = [
    rocPlot(evaluation),
    precisionRecallPlot(evaluation),
    distributionPlot(evaluation),
    calibrationPlot(evaluation),
    sweepPlot(evaluation),
  ].filter((plot) => plot !== undefined);
  return page('Evaluation of a guard', [
    facts(about),
    headline(evaluation),
    section(
      'Measures',
      html`<div class="side">${tableOf('At the threshold in use', measureTable(evaluation))}
${tableOf('Confusion matrix', confusionTable(evaluation))}</div>`,
    ),
    section('Thresholds', tableOf('Rates at other thresholds', thresholdTable(evaluation))),
    section('Notes', html`<ul>${notesOn(evaluation).map((note) => html`<li>${note}</li>\n`)}</ul>\n`),
    section('Plots', html`<div class="plots">\n${plots.map(figure)}</div>\n`),
    groups === undefined
      ? undefined
      : section('Groups', tableOf('Each group at the same threshold', groupTable(groups))),
    section(
      'Most confident mistakes',
      html`<div class="side">${tableOf('Safe rows with the highest scores', mistakeTable(mistakes.falsePositives))}
${tableOf('Harmful rows with the lowest scores', mistakeTable(mistakes.falseNegatives))}</div>`,
    ),
    section('Calibration, bin by bin', tableOf('Mean score and harmful share', binTable(calibration))),
    section('Definitions', DEFINITIONS),
  ]);
}

function headline({ measures, bootstrap }: Evaluation): Html {
  const interval = (measure: 'macroF1' | 'auc' | 'averagePrecision'): string | undefined =>
    bootstrap && `${CONFIDENCE * 100} %: ${intervalText(bootstrap.intervals[measure])}`;
  return tiles([
    { name: 'Macro F1', value: measureText(measures.macroF1), note: interval('macroF1') },
    { name: 'AUC', value: measureText(measures.auc), note: interval('auc') },
    {
      name: 'Average precision',
      value: measureText(measures.averagePrecision),
      note: interval('averagePrecision'),
    },
    {
      name: 'Calibration error',
      value: measureText(measures.expectedCalibrationError),
      note: `Brier score ${measureText(measures.brier)}`,
    },
  ]);
}

function mistakeTable(mistakes: readonly Mistake[]): TextTable {
  if (mistakes.length === 0) return { head: ['key', 'score'], rows: [['none', '']] };
  return {
    head: ['key', 'score'],
    rows: mistakes.map(({ key, score }) => [printable(key), smallText(score)]),
  };
}

export function binTable(bins: readonly CalibrationBin[]): TextTable {
  return {
    head: ['scores', 'rows', 'mean score', 'harmful'],
    rows: bins.map(({ from, to, rows, meanScore, harmfulShare }) => [
      `${from === 0 ? '' : 'above '}${from.toFixed(3)} to ${to.toFixed(3)}`,
      countText(rows),
      measureText(meanScore),
      percentText(harmfulShare),
    ]),
  };
}

const DEFINITIONS = html`<ul>
<li>A row is flagged when its score is at or above the threshold.</li>
<li>Precision: the share of the flagged rows that are harmful. Recall: the share of the harmful rows that are flagged.
False-positive rate (FPR): the share of the safe rows that are flagged.</li>
<li>Macro F1: the mean of both classes' F1, where F1 is the harmonic mean of a class's precision and recall.</li>
<li>AUC: the probability that a harmful row scores higher than a safe one; a tie counts one half.</li>
<li>Average precision: the precision at each distinct score, weighted by the recall gained there.</li>
<li>Brier score: the mean of (score - label)². Expected calibration error: the mean over all rows of the distance
between mean score and harmful share of their bin.</li>
<li>Threshold for a false-positive rate: the lowest of the scores that does not exceed it.</li>
<li>Intervals: percentile bootstrap over the rows, not stratified: the share of harmful rows varies too.</li>
</ul>
`;
