import type { Readable } from 'node:stream';
import type { CorpusReading, CorpusRow } from '@tocsin/corpus';
import type { OpenGuard } from '@tocsin/engine';
import type { Retention } from '@tocsin/store';

/** A corpus to be put into the queue. */
export interface Submission {
  guard: OpenGuard;
  /** What the run is called. */
  name: string;
  /** Files, or `-` for `stdin`. */
  sources: readonly string[];
  stdin?: Readable;
  reading: CorpusReading;
  /** Fields that `onRow` wants to see (`row.kept`). */
  keep?: readonly string[];
  /** Sees each row before it is scored, and gives back what becomes of it: itself, or a reject. */
  onRow?: (row: CorpusRow) => CorpusRow;
  /** What people are told instead of an error that was thrown. */
  shownError?: (error: unknown) => unknown;
  threshold?: number | undefined;
  retain?: Retention | undefined;
  /** uuid of the key that it is submitted with. */
  ownerKey?: string | undefined;
  /** Told the run as soon as there is one; waited for before its first row. */
  onRun: (runId: number) => void | Promise<void>;
  /** Breaks it off. */
  signal: AbortSignal;
}

/**
 * Submits a corpus, and resolves when it is submitted; the workers score it. When it cannot be
 * read to its end, its run fails with the reason. The same as `tocsin submit` does.
 * @throws UserError for what is wrong with the corpus
 */
export type Submit = (submission: Submission) => Promise<void>;
