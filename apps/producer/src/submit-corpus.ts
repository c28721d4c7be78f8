import type { CorpusRow } from '@tocsin/corpus';
import { type Content, prepareContents, type Tokenizer } from '@tocsin/engine';
import type { ParcelQueue } from '@tocsin/queue';
import { textOf } from '@tocsin/siren';
import { knownContents, type Pool, submitWindow, withRetry } from '@tocsin/store';
import { oneAhead } from './one-ahead.js';
import { keyOf, planWindow, type RunPosition } from './plan-window.js';
import { windowsOf } from './windows.js';

export interface SubmitOptions {
  pool: Pool;
  queue: ParcelQueue;
  tokenizer: Tokenizer;
  runId: number;
  guardId: number;
  /** Told after each window: rows in the store, parcels queued by this window. */
  onWindow?: (rows: number, parcels: number) => void;
  signal?: AbortSignal;
}

/**
 * Puts a corpus into the store and its parcels into the queue, window by window; memory holds two windows at most.
 * @returns the number of rows
 */
export async function submitCorpus(
  rows: AsyncIterable<CorpusRow[]>,
  options: SubmitOptions,
): Promise<number> {
  const { pool, queue, tokenizer, guardId, signal } = options;
  const position: RunPosition = { runId: options.runId, guardId, rows: 0 };
  for await (const { window, contents } of oneAhead(preparedWindows(rows, tokenizer))) {
    signal?.throwIfAborted();
    const known = await withRetry(() => knownContents(pool, guardId, distinctHashes(contents)), signal);
    const planned = planWindow(position, window, contents, known);
    const parcels = (await withRetry(() => submitWindow(pool, planned), signal)) ?? [];
    await withRetry(() => queue.add(parcels), signal);
    position.rows += window.length;
    options.onWindow?.(position.rows, parcels.length);
  }
  return position.rows;
}

interface PreparedWindow {
  window: CorpusRow[];
  /** One for each row; undefined for a reject. */
  contents: (Content | undefined)[];
}

async function* preparedWindows(
  rows: AsyncIterable<CorpusRow[]>,
  tokenizer: Tokenizer,
): AsyncGenerator<PreparedWindow> {
  for await (const window of windowsOf(rows)) yield { window, contents: await contentsOf(tokenizer, window) };
}

async function contentsOf(tokenizer: Tokenizer, window: CorpusRow[]): Promise<(Content | undefined)[]> {
  const texts = window.flatMap((row) => (row.kind === 'item' ? [textOf(row.content)] : []));
  const prepared = (await prepareContents(tokenizer, texts)).values();
  return window.map((row) => (row.kind === 'item' ? prepared.next().value : undefined));
}

function distinctHashes(contents: (Content | undefined)[]): Buffer[] {
  const byKey = new Map<string, Buffer>();
  for (const content of contents) if (content !== undefined) byKey.set(keyOf(content.hash), content.hash);
  return [...byKey.values()];
}
