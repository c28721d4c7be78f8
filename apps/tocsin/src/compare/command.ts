import { UserError } from '@tocsin/core';
import { checkWritable, refuseInputAsOutput } from '@tocsin/corpus';
import { PRECISIONS, type Precision } from '@tocsin/engine';
import { drift } from '@tocsin/evaluate';
import { Command } from 'commander';
import { addCorpusOptions, labels, openCorpus } from '../options/corpus-options.js';
import { addMachineOptions, BACKBONE_HELP } from '../options/guard-options.js';
import { probability } from '../options/values.js';
import { EXIT, untilDoneOrInterrupted } from '../terminal/interrupt.js';
import { type CompareFlags, compareScores, type SideFlags } from './compare-scores.js';
import { printDrift, writeDriftReport } from './print-drift.js';

/** `tocsin compare`: the drift between two guards, or between two precisions of one guard, on the same rows. */
export function compareCommand(): Command {
  return addCorpusOptions(addMachineOptions(new Command('compare')))
    .description('Score the same rows with two guards (or one at two precisions) and measure the difference')
    .argument('<a>', 'first guard, optionally with a precision: starter, starter:int8, owner/name:bfloat16')
    .argument('<b>', 'second guard')
    .argument('<corpus...>', 'rows to score with both, as for `tocsin score`, but no standard input')
    .option('--backbone-a <path>', `of a: ${BACKBONE_HELP}`)
    .option('--backbone-b <path>', `of b: ${BACKBONE_HELP}`)
    .option('--label-field <name>', 'field with the label, to compare the Macro F1 of both')
    .option('--positive <value>', 'label that means harmful; every other label means safe')
    .option('--threshold <p>', 'threshold for both guards (default: each its own)', probability)
    .option('-o, --out <file>', 'write a report as one HTML file that opens without a network')
    .option('--json', 'print everything as JSON on standard output')
    .addHelpText('after', '\nExit code: 0 every row was compared, 2 some rows were left out, 1 failed.')
    .action(async (a: string, b: string, files: string[], flags: CompareFlags) => {
      process.exitCode = await untilDoneOrInterrupted((signal) => compare({ a, b }, files, flags, signal));
    });
}

async function compare(
  specs: { a: string; b: string },
  files: string[],
  flags: CompareFlags,
  interrupted: AbortSignal,
): Promise<number> {
  if (files.includes('-')) {
    throw new UserError('standard input (-) can be read only once, and both guards need the rows', {
      hint: 'Write it to a file first.',
    });
  }
  if (flags.out !== undefined) {
    const { sources } = await openCorpus(files, flags);
    await refuseInputAsOutput(flags.out, [...sources]);
    await checkWritable(flags.out);
  }
  const sides = {
    a: sideFlags(specs.a, flags.backboneA, flags),
    b: sideFlags(specs.b, flags.backboneB, flags),
  };
  const compared = await compareScores(files, sides, flags, interrupted);
  const { rows, counts, problems } = compared;
  if (rows.length === 0) {
    throw new UserError(`none of the ${counts.rows} rows was scored by both guards`, {
      hint: problems.length > 0 ? `The first reason: ${problems[0]}` : 'The corpus is empty.',
    });
  }
  const { a, b } = compared.sides;
  const measured = drift(rows, { a: a.threshold, b: b.threshold });
  printDrift(measured, compared, labels(files), flags);
  if (flags.out !== undefined) await writeDriftReport(flags.out, measured, compared, labels(files), flags);
  return counts.compared < counts.rows ? EXIT.someRejected : EXIT.ok;
}

function sideFlags(spec: string, backbone: string | undefined, flags: CompareFlags): SideFlags {
  const { ref: guard, precision } = parseGuardSpec(spec);
  const { device, threads, cacheDir, threshold } = flags;
  return {
    guard,
    precision,
    backbone,
    device,
    threads,
    cacheDir,
    threshold,
  };
}

/** A guard argument of `tocsin compare`: a reference and a precision. */
export interface GuardSpec {
  ref: string;
  /** Undefined for the device's default. */
  precision: Precision | undefined;
}

/** Parses `ref[:precision]`. Only a known precision counts as one: `C:\guards\mine` and `owner/name@v1` have none. */
export function parseGuardSpec(text: string): GuardSpec {
  const precision = PRECISIONS.find((name) => text.endsWith(`:${name}`));
  return { ref: precision === undefined ? text : text.slice(0, -precision.length - 1), precision };
}
