import { writeText } from '@tocsin/corpus';
import {
  type CalibrationFit,
  calibrationTable,
  countText,
  intervalText,
  measureText,
  percentText,
  smallText,
} from '@tocsin/evaluate';
import { printProblems } from '../terminal/problems.js';
import { factLines, jsonText, tableText } from '../terminal/table.js';
import { madeText } from '../version.js';
import type { CalibrateFlags } from './command.js';
import type { CalibrationLabels } from './labels.js';

/** Prints a calibration to standard output, as tables or JSON; left-out rows to standard error. */
export function printCalibration(
  fit: CalibrationFit,
  labels: CalibrationLabels,
  flags: CalibrateFlags,
  backbone: string | undefined,
): void {
  printProblems(labels.leftOut, labels.problems);
  const command = `tocsin score rows.jsonl --guard ${flags.out}${backbone === undefined ? '' : ` --backbone ${backbone}`}`;
  if (flags.json === true) {
    console.log(jsonText(calibrationJson(fit, labels, { out: flags.out, backbone })));
    return;
  }
  const { before, contents } = fit;
  console.log(
    [
      factLines([
        ['guard', `${flags.guard} (${labels.precision})`],
        ['labels', labels.from],
        ['rows', labels.counted],
        [
          'used',
          `${countText(before.harmful)} harmful, ${countText(before.safe)} safe; ${countText(contents)} different`,
        ],
        ['logit', `${smallText(fit.slope)} * logit + ${smallText(fit.offset)}`],
        ['written', flags.out],
      ]),
      tableText(calibrationTable(fit)),
      notesOn(fit, labels).join('\n'),
      `Use it: ${command}`,
    ].join('\n\n'),
  );
}

function calibrationJson(
  fit: CalibrationFit,
  labels: CalibrationLabels,
  written: { out: string; backbone: string | undefined },
): object {
  const { before, after, ...fitted } = fit;
  const { rows: _, ...counts } = labels;
  const measured = ({ rows, harmful, safe, threshold, measures, calibration }: typeof before): object => ({
    rows,
    harmful,
    safe,
    threshold,
    measures,
    calibration,
  });
  return { ...written, labels: counts, ...fitted, before: measured(before), after: measured(after) };
}

function notesOn(fit: CalibrationFit, labels: CalibrationLabels): string[] {
  const { threshold, wanted, folds, saturated } = fit;
  const notes = [
    wanted === undefined
      ? `The new default threshold is ${smallText(threshold.after)}: it flags the same rows as ${smallText(threshold.before)} did before.`
      : wantedNote(wanted, threshold),
    `The error after is measured on rows that were held out: ${folds.count} folds, rows with the same text in one of them. The written guard is fitted on all rows.`,
    'Scores of the old guard are not reused: the new guard has its own fingerprint.',
  ];
  if (saturated > 0) {
    notes.push(`${countText(saturated)} scores are so near to 0 or 1 that their logits were cut.`);
  }
  if (labels.from === 'reviews') {
    notes.push(
      'Reviewed rows were chosen by score: precision, recall and calibration error hold for them, not for all rows.',
    );
  }
  return notes;
}

function wantedNote(
  { measure, value, threshold, precision, recall, flagged }: NonNullable<CalibrationFit['wanted']>,
  mapped: CalibrationFit['threshold'],
): string {
  return [
    `The new default threshold is ${smallText(threshold)}, for a ${measure} of ${percentText(value)}.`,
    `It flags ${countText(flagged)} of these rows, with a precision of ${measureText(precision.value)} (95 %: ${intervalText(precision)})`,
    `and a recall of ${measureText(recall.value)} (95 %: ${intervalText(recall)}). It was chosen on these rows: expect slightly worse results on others.`,
    `The old default, ${smallText(mapped.before)}, would be ${smallText(mapped.after)}.`,
  ].join(' ');
}

/** Writes a calibration as one HTML file. */
export async function writeCalibrationReport(
  path: string,
  fit: CalibrationFit,
  labels: CalibrationLabels,
  flags: CalibrateFlags,
): Promise<void> {
  // Charts load slowly, and only reports need them.
  const { calibrationReport } = await import('@tocsin/evaluate/report');
  const facts: [string, string][] = [
    ['Guard', flags.guard],
    ['Fingerprint', labels.fingerprint],
    ['Precision', labels.precision],
    ['Labels', labels.from],
    ['Rows', labels.counted],
    ['Logit', `${smallText(fit.slope)} * logit + ${smallText(fit.offset)}`],
    ['Made', madeText()],
  ];
  await writeText(path, calibrationReport(fit, facts, notesOn(fit, labels)));
  console.error(`Report: ${path}`);
}
