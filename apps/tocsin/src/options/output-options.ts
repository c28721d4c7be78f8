import { DEFAULT_TABLE_MODE, SCORE_FORMATS, TABLE_MODES, type TableMode } from '@tocsin/core';
import type { OutputOptions } from '@tocsin/corpus';
import { type Command, Option } from 'commander';

/** Output options of every command that writes scores. */
export interface OutputFlags {
  out: string;
  format?: string;
  outTable?: string;
  outMode: TableMode;
}

export function addOutputOptions(command: Command): Command {
  return command
    .option(
      '-o, --out <file>',
      'output: .jsonl, .csv, .tsv (each also .gz), .parquet, postgres://... with --out-table, or - for standard output',
      '-',
    )
    .addOption(
      new Option('--format <format>', 'format of the output (default: from its name)').choices([
        ...SCORE_FORMATS,
      ]),
    )
    .option('--out-table <name>', 'table for the scores; created if it does not exist')
    .addOption(
      new Option('--out-mode <mode>', 'if the table has rows: replace rows with equal keys, append, or fail')
        .choices([...TABLE_MODES])
        .default(DEFAULT_TABLE_MODE),
    );
}

/** Options of the score writer. */
export function outputOptions(flags: OutputFlags, model: string): OutputOptions {
  return {
    model,
    tableMode: flags.outMode,
    table: flags.outTable,
  };
}
