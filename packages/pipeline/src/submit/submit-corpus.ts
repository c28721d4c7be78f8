import { isUserError } from '@tocsin/core';
import { type CorpusRow, rejected, rejection } from '@tocsin/corpus';
import type { Content, Preparation } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import type { ParcelQueue } from '@tocsin/queue';
import { knownContents, submitWindow } from '@tocsin/store';
import { type Tracing, untraced, type WindowMeasure } from '@tocsin/telemetry';
import { keyOf, planWindow, type RunPosition } from './plan-window.js';

interface SubmitOptions {
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
  for await (const { window, contents } of prefetch(preparedWindows(rows, preparation))) {
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

/**
 * Rows that are sorted, cut and stored together. A larger window makes better parcels, a smaller one needs less memory.
 */
const WINDOW_ROWS = 4096;
const WINDOW_CHARACTERS = 4 * 1024 * 1024;
/** The first window is small, so that workers can start early. */
const FIRST_WINDOW_ROWS = 512;

/** Groups a corpus' rows into windows. */
async function* windowsOf(rows: AsyncIterable<CorpusRow[]>): AsyncGenerator<CorpusRow[]> {
  let window: CorpusRow[] = [];
  let characters = 0;
  let limit = FIRST_WINDOW_ROWS;
  for await (const chunk of rows) {
    for (const row of chunk) {
      window.push(row);
      characters += charactersOf(row);
      if (window.length < limit && characters < WINDOW_CHARACTERS) continue;
      yield window;
      window = [];
      characters = 0;
      limit = WINDOW_ROWS;
    }
  }
  if (window.length > 0) yield window;
}

function charactersOf(row: CorpusRow): number {
  if (row.kind === 'reject') return 0;
  const { content } = row;
  if ('text' in content) return content.text.length;
  if ('messages' in content) return content.messages.length + (content.tools?.length ?? 0);
  return (content.prompt?.length ?? 0) + (content.response?.length ?? 0);
}

/** A window of rows with their token ids. */
interface PreparedWindow {
  window: CorpusRow[];
  /** One per row; undefined for a reject. */
  contents: (Content | undefined)[];
}

/** Tokenizes the items of a window. An item that this guard cannot score becomes a reject with the reason. */
export async function prepareWindow(
  preparation: Pick<Preparation, 'contentsOf'>,
  rows: readonly CorpusRow[],
): Promise<PreparedWindow> {
  const items = rows.flatMap((row) => (row.kind === 'item' ? [row.content] : []));
  const prepared = (await preparation.contentsOf(items)).values();
  const window: CorpusRow[] = [];
  const contents: (Content | undefined)[] = [];
  for (const row of rows) {
    const content = row.kind === 'item' ? prepared.next().value : undefined;
    const refused = isUserError(content);
    window.push(refused ? refusedBy(row, content.message) : row);
    contents.push(refused ? undefined : content);
  }
  return { window, contents };
}

function refusedBy(row: CorpusRow, message: string): CorpusRow {
  // A sentence, like the reader's reasons.
  return rejected(row, rejection('guard', `${message.charAt(0).toUpperCase()}${message.slice(1)}.`));
}

/** Yields the values of `source`, and computes the next one while the consumer processes the current one. */
export async function* prefetch<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  let next = source.next();
  try {
    for (;;) {
      const { done, value } = await next;
      if (done === true) return;
      next = source.next();
      // A rejection is reported when its turn comes; a consumer that returns earlier ignores it.
      next.catch(() => {});
      yield value;
    }
  } finally {
    await next.catch(() => {});
    await source.return(undefined);
  }
}
