import type { Readable } from 'node:stream';
import { type CorpusReading, type CorpusRow, readCorpus } from '@tocsin/corpus';
import { type OpenGuard, Preparation } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import { noteRun } from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { submitCorpus } from './submit-corpus.js';

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

/** A corpus, how it is read, and callbacks for what passes by. */
export interface SubmittedFiles {
  /** As `findSources` gives them; `-` is standard input. */
  sources: readonly string[];
  reading: CorpusReading;
  /** Size of all sources, for `onFraction`; undefined when it is unknown (standard input, a query). */
  bytes?: number;
  /** Stands for the source `-`, instead of the standard input. */
  stdin?: Readable;
  /** Fields that `onRow` wants to see (`row.kept`). */
  keep?: readonly string[];
  /** Sees each row before it is scored and returns it, or a reject in its place. */
  onRow?: (row: CorpusRow) => CorpusRow;
  /** Called with each note on what was guessed, skipped or is doubtful in the corpus. */
  onNotice?: (notice: string) => void;
  /** Notes that are kept with the run, before those of `onNotice`. */
  notes?: readonly string[];
  /** Maps a note to the one that is kept with the run. */
  shownNote?: (note: string) => string;
  /** Called with how much of the corpus has been read, 0 to 1. */
  onFraction?: (fraction: number) => void;
  /** Called after each window: rows in the store, parcels queued by this window. */
  onWindow?: (rows: number, parcels: number) => void;
}

/** Puts the rows of files into a run: store and queue; and notes on the files with it. @returns the number of rows */
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

/** Opening a tokenizer blocks the event loop for 0.1 s: each guard's is opened once. */
function preparationOf(guard: OpenGuard): Promise<Preparation> {
  const known = preparations.get(guard);
  if (known !== undefined) return known;
  const opened = Preparation.open(guard);
  preparations.set(guard, opened);
  // One that fails is tried again.
  opened.catch(() => preparations.delete(guard));
  return opened;
}

async function* eachRow(
  chunks: AsyncIterable<CorpusRow[]>,
  onRow: (row: CorpusRow) => CorpusRow,
): AsyncGenerator<CorpusRow[]> {
  for await (const rows of chunks) yield rows.map(onRow);
}
