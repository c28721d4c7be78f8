import type { Writable } from 'node:stream';
import { UserError } from '@tocsin/core';
import { isPostgres } from '../sources/source-name.js';
import { OpenEnd, OwnEnd } from './end.js';
import { batchErrorsPath, batchLines, OpenaiBatchWriter } from './openai-batch-writer.js';
import { checkWritable, openFile } from './output.js';
import { checkTable, PostgresWriter, type TableMode } from './postgres-writer.js';
import { type Encoder, type RowWriter, StreamWriter } from './row-writer.js';
import { scoreEncoder } from './score-encoder.js';
import { STDOUT, scoreFormat } from './score-format.js';
import type { ScoreRow } from './score-row.js';

/** Writes scores; await each call before the next. Ends with `finish` or `abort`. */
export type ScoreWriter = RowWriter<ScoreRow>;

/** Where scores go, beyond a path and a format. */
export interface OutputOptions {
  /** Stands for `-`; `process.stdout` if not given. */
  stdout?: Writable;
  /** The guard's name, for formats that say which model has judged. */
  model?: string;
  /** For a Postgres output: the table, perhaps with its schema ("audit.scores"). */
  table?: string;
  /** What becomes of rows that the table has. Default: replace. */
  tableMode?: TableMode;
}

/** The files that an output is written to: none for a database and for standard output. */
export function outputFiles(path: string, format?: string): string[] {
  if (isPostgres(path) || path === STDOUT) return [];
  return scoreFormat(path, format).format === 'openai-batch' ? [path, batchErrorsPath(path)] : [path];
}

/** Check format and place of an output before any work is done for it. Throws a `UserError`. */
export async function checkOutput(path: string, format?: string, options: OutputOptions = {}): Promise<void> {
  if (isPostgres(path)) return checkTable(path, tableOf(format, options), options.tableMode);
  if (options.table !== undefined) throw noDatabase();
  const how = scoreFormat(path, format);
  if (path === STDOUT) return;
  await checkWritable(path);
  if (how.format === 'openai-batch') await checkWritable(batchErrorsPath(path));
}

/**
 * Open a writer for a file (`.jsonl`, `.ndjson`, `.csv` or `.tsv`, each also with `.gz`; `.parquet`), for stdout (`-`, JSONL
 * if no format is given), or for a table of a Postgres database (`postgres://...`). A file appears under its name only when
 * it is whole. In CSV and TSV, a key or error that a spreadsheet would run as a formula gets an apostrophe in front.
 * The format `openai-batch` writes two files: `out.jsonl`, and `out.errors.jsonl` with the requests that failed.
 * Throws a `UserError` as `checkOutput` does.
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
    throw new UserError(`A format (${format}) was given, and the scores go to a database.`, {
      hint: 'Leave one of them out.',
    });
  }
  if (table !== undefined) return table;
  throw new UserError('The scores go to a database, and no table was named.', {
    hint: 'Name one with --out-table; it is made when it is not there.',
  });
}

function noDatabase(): UserError {
  return new UserError('A table was named, and the scores go to no database.', {
    hint: 'Name one with --out postgres://user@host:5432/database',
  });
}
