import type { Readable } from 'node:stream';
import { type CorpusRow, readCorpus } from '@tocsin/corpus';
import { type OpenGuard, Preparation } from '@tocsin/engine';
import { submitCorpus } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import type { Telemetry } from '@tocsin/telemetry';
import { type OpenCorpus, printNotice } from '../options/corpus-options.js';

/** A run that a corpus is put into. */
export interface OpenRun {
  pool: Pool;
  queue: ParcelQueue;
  guardId: number;
  runId: number;
  /** Whether the texts are stored too. */
  texts: boolean;
  signal: AbortSignal;
  telemetry: Telemetry;
}

/** Which corpus, and who sees it pass by. */
export interface SubmittedFiles {
  corpus: OpenCorpus;
  /** Stands for the source `-`, instead of the standard input. */
  stdin?: Readable;
  /** Fields that `onRow` wants to see (`row.kept`). */
  keep?: readonly string[];
  /** Sees each row before it is scored, and gives back what becomes of it: itself, or a reject. */
  onRow?: (row: CorpusRow) => CorpusRow;
  /** Told what was guessed, skipped or is doubtful in the corpus. Default: printed on standard error. */
  onNotice?: (notice: string) => void;
  /** Told how much of the corpus has been read, 0 to 1. */
  onFraction?: (fraction: number) => void;
  /** Told after each window: rows in the store, parcels queued by this window. */
  onWindow?: (rows: number, parcels: number) => void;
}

/** Puts a corpus into a run: store and queue. @returns the number of rows */
export async function submitFiles(run: OpenRun, guard: OpenGuard, given: SubmittedFiles): Promise<number> {
  const { corpus, stdin, keep = [], onRow, onFraction, onWindow, onNotice = printNotice } = given;
  const { sources, bytes, reading } = corpus;
  const preparation = await Preparation.open(guard);
  const rows = readCorpus(sources, {
    ...reading,
    ...(stdin === undefined ? {} : { stdin }),
    keep,
    signal: run.signal,
    task: guard.artifact.task,
    onNotice,
    onBytes: (read) => {
      if (bytes !== undefined && bytes > 0) onFraction?.(read / bytes);
    },
  });
  return submitCorpus(onRow === undefined ? rows : eachRow(rows, onRow), {
    pool: run.pool,
    queue: run.queue,
    guardId: run.guardId,
    runId: run.runId,
    texts: run.texts,
    signal: run.signal,
    preparation,
    onMeasure: run.telemetry.metrics.onWindow,
    tracing: run.telemetry.tracing,
    ...(onWindow === undefined ? {} : { onWindow }),
  });
}

async function* eachRow(
  chunks: AsyncIterable<CorpusRow[]>,
  onRow: (row: CorpusRow) => CorpusRow,
): AsyncGenerator<CorpusRow[]> {
  for await (const rows of chunks) yield rows.map(onRow);
}
