import type { CorpusRow } from '@tocsin/corpus';
import type { Content, Preparation } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import { knownContents, submitWindow } from '@tocsin/store';
import { type Tracing, untraced, type WindowMeasure } from '@tocsin/telemetry';
import { keyOf, planWindow, type RunPosition } from './plan-window.js';
import { oneAhead, type PreparedWindow, prepareWindow, windowsOf } from './windows.js';

export interface SubmitOptions {
  pool: Pool;
  queue: ParcelQueue;
  /** Of the scoring guard. */
  preparation: Preparation;
  runId: number;
  guardId: number;
  /** Whether texts are stored during the run: some may have to be retained after it. */
  texts?: boolean;
  /** Called after each window: rows in the store, parcels enqueued by this window. */
  onWindow?: (rows: number, parcels: number) => void;
  /** Called with the plan of each window. */
  onMeasure?: (window: WindowMeasure) => void;
  tracing?: Tracing;
  signal?: AbortSignal;
}

/**
 * Writes a corpus to the store and its parcels to the queue, window by window; memory holds at most two windows.
 * @returns the number of rows
 * @throws UserError when the run is cancelled meanwhile
 */
export async function submitCorpus(
  rows: AsyncIterable<CorpusRow[]>,
  options: SubmitOptions,
): Promise<number> {
  const {
    pool,
    queue,
    preparation,
    guardId,
    runId,
    signal,
    onWindow,
    onMeasure,
    tracing = untraced,
  } = options;
  const position: RunPosition = {
    runId,
    guardId,
    rows: 0,
    texts: options.texts ?? false,
  };
  for await (const { window, contents } of oneAhead(preparedWindows(rows, preparation))) {
    signal?.throwIfAborted();
    const facts = { 'tocsin.run': runId, 'tocsin.rows': window.length };
    await tracing.within('submit window', facts, async () => {
      const known = await withRetry(() => knownContents(pool, guardId, distinctHashes(contents)), signal);
      const planned = planWindow(position, window, contents, known);
      const parcels = (await withRetry(() => submitWindow(pool, planned), signal)) ?? [];
      await withRetry(() => queue.add(parcels), signal);
      position.rows += window.length;
      const rejectKinds = window.flatMap((row) => (row.kind === 'reject' ? row.rejectKind : []));
      onMeasure?.({ ...planned.counts, parcels: parcels.length, rejectKinds });
      onWindow?.(position.rows, parcels.length);
    });
  }
  return position.rows;
}

async function* preparedWindows(
  rows: AsyncIterable<CorpusRow[]>,
  preparation: Preparation,
): AsyncGenerator<PreparedWindow> {
  for await (const window of windowsOf(rows)) yield prepareWindow(preparation, window);
}

function distinctHashes(contents: (Content | undefined)[]): Buffer[] {
  const byKey = new Map<string, Buffer>();
  for (const content of contents) if (content !== undefined) byKey.set(keyOf(content.hash), content.hash);
  return [...byKey.values()];
}
