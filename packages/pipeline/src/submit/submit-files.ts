import type { Readable } from 'node:stream';
import { type CorpusReading, type CorpusRow, readCorpus } from '@tocsin/corpus';
import { type OpenGuard, Preparation } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import { noteRun } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { submitCorpus } from './submit-corpus.js';

/** The run that receives the corpus. */
export interface OpenRun {
  pool: Pool;
  queue: ParcelQueue;
  guardId: number;
  runId: number;
  /** Whether texts are stored. */
  texts: boolean;
  signal: AbortSignal;
  telemetry: Telemetry;
}

/** A corpus, how to read it, and callbacks. */
export interface SubmittedFiles {
  /** From `findSources`; `-` is standard input. */
  sources: readonly string[];
  reading: CorpusReading;
  /** Total bytes, for `onFraction`; undefined when unknown (standard input, a query). */
  bytes?: number;
  /** Replaces standard input as the source `-`. */
  stdin?: Readable;
  /** Fields to pass to `onRow` (`row.kept`). */
  keep?: readonly string[];
  /** Called with each row before scoring; returns the row or a reject. */
  onRow?: (row: CorpusRow) => CorpusRow;
  /** Called with each note on what was guessed or skipped, or looks doubtful. */
  onNotice?: (notice: string) => void;
  /** Notes to store with the run, before those of `onNotice`. */
  notes?: readonly string[];
  /** Maps a note to the stored one. */
  shownNote?: (note: string) => string;
  /** Called with the share of the corpus read, 0 to 1. */
  onFraction?: (fraction: number) => void;
  /** Called after each window: rows in the store, parcels enqueued by this window. */
  onWindow?: (rows: number, parcels: number) => void;
}

/** Submits the rows of files to a run, and stores notes on the files. @returns the number of rows */
export async function submitFiles(run: OpenRun, guard: OpenGuard, given: SubmittedFiles): Promise<number> {
  const { sources, reading, bytes = 0, stdin, keep = [], onRow, onFraction, onNotice, onWindow } = given;
  const { shownNote = (note: string): string => note } = given;
  const notes = [...(given.notes ?? [])];
  const preparation = await preparationOf(guard);
  const rows = readCorpus(sources, {
    ...reading,
    stdin,
    onNotice: (notice) => {
      notes.push(notice);
      onNotice?.(notice);
    },
    keep,
    signal: run.signal,
    task: guard.artifact.task,
    onBytes: (read) => {
      if (bytes > 0) onFraction?.(read / bytes);
    },
  });
  const { pool, queue, guardId, runId, texts, signal, telemetry } = run;
  try {
    return await submitCorpus(onRow === undefined ? rows : eachRow(rows, onRow), {
      pool,
      queue,
      guardId,
      runId,
      texts,
      signal,
      preparation,
      onMeasure: telemetry.metrics.onWindow,
      tracing: telemetry.tracing,
      onWindow,
    });
  } finally {
    if (notes.length > 0) await withRetry(() => noteRun(pool, runId, notes.map(shownNote)), signal);
  }
}

const preparations = new WeakMap<OpenGuard, Promise<Preparation>>();

/** Opening a tokenizer blocks the event loop for 0.1 s, so it is cached per guard. */
function preparationOf(guard: OpenGuard): Promise<Preparation> {
  const known = preparations.get(guard);
  if (known !== undefined) return known;
  const opened = Preparation.open(guard);
  preparations.set(guard, opened);
  // A failed one is retried.
  opened.catch(() => preparations.delete(guard));
  return opened;
}

async function* eachRow(
  chunks: AsyncIterable<CorpusRow[]>,
  onRow: (row: CorpusRow) => CorpusRow,
): AsyncGenerator<CorpusRow[]> {
  for await (const rows of chunks) yield rows.map(onRow);
}
