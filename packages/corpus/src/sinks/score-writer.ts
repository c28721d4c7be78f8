import type { Writable } from 'node:stream';
import { type TableMode, UserError } from '@tocsin/core';
import { isPostgres } from '../sources/source-name.js';
import { batchErrorsPath, batchLines, OpenaiBatchWriter } from './openai-batch-writer.js';
import { checkWritable, openFile } from './output.js';
import { checkTable, PostgresWriter } from './postgres-writer.js';
import { type Encoder, OpenEnd, OwnEnd, type RowWriter, StreamWriter } from './row-writer.js';
import { scoreEncoder } from './score-encoder.js';
import { type ScoreRow, STDOUT, scoreFormat } from './score-format.js';

/** Writes scores; await each call before the next. Ends with `finish` or `abort`. */
export type ScoreWriter = RowWriter<ScoreRow>;

/** Options of an output besides its path and format. */
export interface OutputOptions {
  /** The stream for `-`; default `process.stdout`. */
  stdout?: Writable;
  /** The guard's name, for formats that name the model. */
  model?: string;
  /** For a Postgres output: the table, optionally with its schema ("audit.scores"). */
  table?: string;
  /** How to treat existing rows. Default: replace. */
  tableMode?: TableMode;
}

/** The files of an output; none for a database or stdout. */
export function outputFiles(path: string, format?: string): string[] {
  if (isPostgres(path) || path === STDOUT) return [];
  return scoreFormat(path, format).format === 'openai-batch' ? [path, batchErrorsPath(path)] : [path];
}

/** Checks the format and path of an output before any work is done for it. @throws UserError */
export async function checkOutput(path: string, format?: string, options: OutputOptions = {}): Promise<void> {
  if (isPostgres(path)) return checkTable(path, tableOf(format, options), options.tableMode);
  if (options.table !== undefined) throw noDatabase();
  const how = scoreFormat(path, format);
  if (path === STDOUT) return;
  await checkWritable(path);
  if (how.format === 'openai-batch') await checkWritable(batchErrorsPath(path));
}

/**
 * Opens a writer for a file (`.jsonl`, `.ndjson`, `.csv` or `.tsv`, each also with `.gz`; `.parquet`), for stdout (`-`, JSONL
 * by default), or for a Postgres table (`postgres://...`). A file appears under its name only when complete. In CSV and
 * TSV, a key or error that a spreadsheet would evaluate as a formula gets a leading apostrophe. The format `openai-batch`
 * writes two files: `out.jsonl`, and `out.errors.jsonl` with the failed requests. Throws the same `UserError`s as
 * `checkOutput`.
 */
export async function writerFor(
  path: string,
  format?: string,
  options: OutputOptions = {},
): Promise<ScoreWriter> {
  if (isPostgres(path)) return PostgresWriter.open(path, tableOf(format, options), options.tableMode);
  if (options.table !== undefined) throw noDatabase();
  const { format: known, gzip } = scoreFormat(path, format);
  if (known !== 'openai-batch') return streamWriter(path, gzip, scoreEncoder(known), options);
  const succeeded = await streamWriter(path, gzip, batchLines, options);
  try {
    const failed = await streamWriter(batchErrorsPath(path), gzip, batchLines, options);
    return new OpenaiBatchWriter(succeeded, failed, { model: options.model ?? 'tocsin' });
  } catch (error) {
    await succeeded.abort();
    throw error;
  }
}

async function streamWriter<Row>(
  path: string,
  gzip: boolean,
  encoder: Encoder<Row>,
  { stdout = process.stdout }: OutputOptions,
): Promise<StreamWriter<Row>> {
  if (path === STDOUT) return new StreamWriter(path, encoder, new OpenEnd(stdout));
  return new StreamWriter(path, encoder, new OwnEnd(await openFile(path), gzip));
}

function tableOf(format: string | undefined, { table }: OutputOptions): string {
  if (format !== undefined) {
    throw new UserError(`the output format ${format} does not apply: the scores go to a database`, {
      hint: 'Omit the format, or write to a file.',
    });
  }
  if (table !== undefined) return table;
  throw new UserError('scores cannot be written to a database without a table', {
    hint: 'Name a table with --out-table; it is created if missing.',
  });
}

function noDatabase(): UserError {
  return new UserError('scores cannot be written to a table without a database', {
    hint: 'Name the database with --out postgres://user@host:5432/database',
  });
}
