import { SCORE_FORMATS } from '@tocsin/core';
import { DEFAULT_TABLE_MODE, type OutputOptions, TABLE_MODES, type TableMode } from '@tocsin/corpus';
import { type Command, Option } from 'commander';

/** Where scores go: the options of every command that writes them. */
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
      'where the scores go: .jsonl, .csv, .tsv (each also .gz), .parquet, postgres://... with --out-table; - is standard output',
      '-',
    )
    .addOption(
      new Option('--format <format>', 'instead of what the name of --out says').choices([...SCORE_FORMATS]),
    )
    .option('--out-table <name>', 'the table for the scores; it is made when it is not there')
    .addOption(
      new Option('--out-mode <mode>', 'when the table has rows: replace those of equal keys, append, or fail')
        .choices([...TABLE_MODES])
        .default(DEFAULT_TABLE_MODE),
    );
}

/** What a writer of scores takes. */
export function outputOptions(flags: OutputFlags, model: string): OutputOptions {
  return {
    model,
    tableMode: flags.outMode,
    table: flags.outTable,
  };
}
