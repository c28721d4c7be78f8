import { UserError } from '@tocsin/core';
import { checkWritable, refuseInputAsOutput } from '@tocsin/corpus';
import {
  type CalibrationProblem,
  calibrate,
  countText,
  FEWEST_PER_CLASS,
  percentText,
  smallText,
  type WantedRate,
} from '@tocsin/evaluate';
import { Command, Option } from 'commander';
import type { LabelFlags } from '../eval/labels.js';
import { addCorpusOptions, type CorpusFlags, openCorpus, SOURCES } from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags } from '../options/guard-options.js';
import { probability } from '../options/values.js';
import { EXIT, untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { type CalibrationLabels, labelsOfFiles, labelsOfReviews } from './labels.js';
import { printCalibration, writeCalibrationReport } from './print-calibration.js';
import { requireEmpty, writeGuard } from './write-guard.js';

/** The options of `tocsin calibrate`. */
export interface CalibrateFlags extends GuardFlags, CorpusFlags, LabelFlags {
  out: string;
  fromReviews?: boolean;
  wantPrecision?: number;
  wantRecall?: number;
  report?: string;
  json?: boolean;
}

/** `tocsin calibrate`: a guard whose scores are probabilities on given labels. */
export function calibrateCommand(): Command {
  return addCorpusOptions(addGuardOptions(new Command('calibrate')))
    .description('Calibrate a guard on labelled rows or on reviews, and choose its threshold')
    .argument('[labelled...]', `rows with labels: ${SOURCES}`)
    .option('--label-field <name>', 'field with the label: 1/0, true/false, harmful (unsafe)/safe')
    .option('--positive <value>', 'label that means harmful; every other label means safe')
    .option('--from-reviews', "use the reviewers' verdicts on this guard's scores in the database as labels")
    .requiredOption('-o, --out <dir>', 'new directory for the calibrated guard')
    .addOption(
      new Option('--want-precision <p>', 'set the threshold that reaches this precision')
        .argParser(probability)
        .conflicts('wantRecall'),
    )
    .option('--want-recall <p>', 'set the threshold that reaches this recall', probability)
    .option('--report <file>', 'write a report as one self-contained HTML file')
    .option('--json', 'print everything as JSON on standard output')
    .addHelpText(
      'after',
      '\nExample: tocsin calibrate labelled.jsonl --guard starter --label-field label --out ./my-guard' +
        '\n\nExit code: 0 every row was used, 2 some rows were left out, 1 failed.',
    )
    .action(async (files: string[], flags: CalibrateFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => calibrateGuard(files, flags, signal));
    });
}

async function calibrateGuard(files: string[], flags: CalibrateFlags, signal: AbortSignal): Promise<number> {
  await requireEmpty(flags.out);
  if (flags.report !== undefined) {
    if (files.length > 0) await refuseInputAsOutput(flags.report, (await openCorpus(files, flags)).sources);
    await checkWritable(flags.report);
  }
  const labels = await labelsFrom(files, flags, signal);
  const fit = calibrate(labels.rows, { threshold: labels.threshold, wanted: wantedRate(flags) });
  if ('kind' in fit) throw problemError(fit);
  const backbone = await writeGuard(flags, fit, labels);
  printCalibration(fit, labels, flags, backbone);
  if (flags.report !== undefined) await writeCalibrationReport(flags.report, fit, labels, flags);
  return labels.leftOut > 0 ? EXIT.someRejected : EXIT.ok;
}

function labelsFrom(files: string[], flags: CalibrateFlags, signal: AbortSignal): Promise<CalibrationLabels> {
  const { labelField, fromReviews = false } = flags;
  if (fromReviews) {
    if (files.length === 0 && labelField === undefined) return labelsOfReviews(flags, signal);
    throw new UserError(
      '--from-reviews was given with labelled files or --label-field; expected one of them',
      {
        hint: 'Leave one of them out.',
      },
    );
  }
  if (files.length === 0 || labelField === undefined) {
    throw new UserError('no labels were given', {
      hint: 'Give labelled files and --label-field, or --from-reviews.',
    });
  }
  return labelsOfFiles(files, { ...flags, labelField }, signal);
}

function wantedRate({ wantPrecision, wantRecall }: CalibrateFlags): WantedRate | undefined {
  if (wantPrecision !== undefined) return { measure: 'precision', value: wantPrecision };
  return wantRecall === undefined ? undefined : { measure: 'recall', value: wantRecall };
}

function problemError(problem: CalibrationProblem): UserError {
  switch (problem.kind) {
    case 'one class': {
      const [all, other] = problem.label === 1 ? ['harmful', 'safe'] : ['safe', 'harmful'];
      return new UserError(`cannot calibrate: all labels are ${all}`, {
        hint: `Add at least ${FEWEST_PER_CLASS} ${other} rows, or check --label-field and --positive.`,
      });
    }
    case 'too few': {
      const { harmful, safe, needed } = problem;
      return new UserError(
        `cannot calibrate: ${countText(harmful)} harmful and ${countText(safe)} safe different rows have labels and scores; at least ${FEWEST_PER_CLASS} of each are needed`,
        { hint: `Label ${neededText(needed)}.` },
      );
    }
    case 'no order':
      return new UserError(
        `cannot calibrate: on these rows a higher score does not mean more harmful (fitted slope ${smallText(problem.slope)})`,
        { hint: 'Check that the labels mean what the guard scores: --positive names the harmful value.' },
      );
    case 'out of reach':
      return new UserError(
        `no threshold reaches a ${problem.wanted.measure} of ${percentText(problem.wanted.value)} on these rows: the highest is ${percentText(problem.highest)}`,
        { hint: `Lower --want-${problem.wanted.measure}.` },
      );
  }
}

function neededText(needed: { harmful: number; safe: number }): string {
  return (['harmful', 'safe'] as const)
    .filter((label) => needed[label] > 0)
    .map((label) => `${needed[label]} more ${label} ${needed[label] === 1 ? 'row' : 'rows'}`)
    .join(' and ');
}
