import { UserError } from '@tocsin/core';
import { checkWritable, refuseInputAsOutput } from '@tocsin/corpus';
import { DEFAULT_RESAMPLES, DEFAULT_SEED, type Evaluation, evaluate } from '@tocsin/evaluate';
import { Command } from 'commander';
import { addCorpusOptions, labels, openCorpus, SOURCES } from '../options/corpus-options.js';
import { addGuardOptions } from '../options/guard-options.js';
import { numberFromZero, probability, wholeNumber } from '../options/values.js';
import { EXIT, untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { joinScores } from './given-scores.js';
import { printEvaluation, writeEvaluationReport } from './print-evaluation.js';
import { type EvalFlags, type LabelledScores, scoreLabelled } from './score-labelled.js';

/** `tocsin eval`: measures a guard's scores against known labels. */
export function evalCommand(): Command {
  return addCorpusOptions(addGuardOptions(new Command('eval'), { required: false }))
    .description('Measure a guard on labelled rows: Macro F1, AUC, calibration, thresholds, groups')
    .argument('<labelled...>', `rows with labels: ${SOURCES}`)
    .requiredOption('--label-field <name>', 'field with the label: 1/0, true/false, harmful (unsafe)/safe')
    .option('--positive <value>', 'label that means harmful; every other label means safe')
    .option('--group-field <name>', 'also measure each value of this field separately')
    .option(
      '--scores <file>',
      'existing scores (JSONL, CSV, TSV or Parquet, also .gz and .zst), joined by key, instead of a guard',
    )
    .option('--threshold <p>', "count scores from this one up as harmful (default: the guard's)", probability)
    .option(
      '--bootstrap <n>',
      'number of resamples for the intervals; 0 for none',
      numberFromZero,
      DEFAULT_RESAMPLES,
    )
    .option(
      '--seed <n>',
      'seed of the resamples: the same seed gives the same intervals',
      wholeNumber,
      DEFAULT_SEED,
    )
    .option('-o, --out <file>', 'write a report as one self-contained HTML file')
    .option('--json', 'print everything as JSON on standard output')
    .addHelpText('after', '\nExit code: 0 every row was counted, 2 some rows were left out, 1 failed.')
    .action(async (files: string[], flags: EvalFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => evaluateCorpus(files, flags, signal));
    });
}

async function evaluateCorpus(files: string[], flags: EvalFlags, interrupted: AbortSignal): Promise<number> {
  if (flags.out !== undefined) {
    const { sources } = await openCorpus(files, flags);
    await refuseInputAsOutput(flags.out, [...sources, ...(flags.scores === undefined ? [] : [flags.scores])]);
    await checkWritable(flags.out);
  }
  const found = await labelledScores(files, flags, interrupted);
  requireUsable(found, flags);
  const evaluation: Evaluation = evaluate(found.rows, {
    threshold: found.threshold,
    resamples: flags.bootstrap,
    seed: flags.seed,
  });
  const asked = { files: labels(files), flags };
  printEvaluation(evaluation, found, asked);
  if (flags.out !== undefined) await writeEvaluationReport(flags.out, evaluation, found, asked);
  return found.counts.evaluated < found.counts.rows ? EXIT.someRejected : EXIT.ok;
}

function labelledScores(files: string[], flags: EvalFlags, signal: AbortSignal): Promise<LabelledScores> {
  const { guard, scores } = flags;
  if (guard !== undefined && scores !== undefined) {
    throw new UserError('both --guard and --scores were given; expected one of them', {
      hint: 'Leave one of them out.',
    });
  }
  if (guard !== undefined) return scoreLabelled(files, { ...flags, guard }, signal);
  if (scores !== undefined) return joinScores(files, { ...flags, scores }, signal);
  throw new UserError('neither --guard nor --scores was given', {
    hint: 'Name a guard, for example --guard starter, or a file that `tocsin score` or `tocsin runs export` wrote.',
  });
}

/** An evaluation without usable rows, or with mistaken labels, must not look like a result. */
function requireUsable({ rows, counts, problems }: LabelledScores, flags: EvalFlags): void {
  if (rows.length === 0) {
    throw new UserError(`none of the ${counts.rows} rows has both a label and a score`, {
      hint: problems.length > 0 ? `The first reason: ${problems[0]}` : 'The corpus is empty.',
    });
  }
  if (flags.positive !== undefined && rows.every(({ label }) => label === 0)) {
    throw new UserError(
      `no row has the label ${JSON.stringify(flags.positive)} in its field "${flags.labelField}", so none would be harmful`,
      { hint: 'Give --positive exactly as the rows have it.' },
    );
  }
}
