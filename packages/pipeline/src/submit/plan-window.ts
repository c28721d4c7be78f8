import { type CorpusRow, placeOf } from '@tocsin/corpus';
import type { Content } from '@tocsin/engine';
import type { KnownContent, NewParcel, Window, WindowItem } from '@tocsin/store';

/** What of a run the windows before this one have made. */
export interface RunPosition {
  runId: number;
  guardId: number;
  /** Rows stored so far. */
  rows: number;
  /** Whether what was given is stored with each row. */
  texts: boolean;
}

/**
 * Decides what a window costs: each content that is not known goes into a parcel once, whatever the number of its
 * rows.
 *
 * @param contents one for each row; undefined for a reject
 * @param known what the store knows of these contents
 */
export function planWindow(
  position: RunPosition,
  rows: readonly CorpusRow[],
  contents: readonly (Content | undefined)[],
  known: readonly KnownContent[],
): Window {
  const knownByHash = new Map(known.map((content) => [keyOf(content.hash), content]));
  const fresh = new Map<string, Content>();
  const unscored = new Set<string>();
  const counts = { fresh: 0, known: 0, duplicates: 0, rejected: 0 };
  const items = rows.map((row, i): WindowItem => {
    const content = contents[i];
    if (row.kind === 'reject' || content === undefined) {
      counts.rejected++;
      const reject = row.kind === 'reject' ? `${placeOf(row)}: ${row.reason}` : 'no content';
      return { seq: row.seq, key: row.key, content: null, truncated: false, reject };
    }
    const key = keyOf(content.hash);
    const stored = knownByHash.get(key);
    // Claimed by an earlier window of this very run, or met in this one: the row repeats one of its own corpus.
    if (stored?.runId === position.runId || fresh.has(key) || unscored.has(key)) {
      counts.duplicates++;
    } else if (stored?.state === 'scored') {
      counts.known++;
    } else {
      counts.fresh++;
      if (stored === undefined) fresh.set(key, content);
      else unscored.add(key);
    }
    return {
      seq: row.seq,
      key: row.key,
      content: content.hash,
      truncated: content.truncated,
      reject: null,
      json: position.texts ? JSON.stringify(row.content) : undefined,
    };
  });
  return {
    runId: position.runId,
    guardId: position.guardId,
    afterRows: position.rows,
    items,
    parcels: cutParcels([...fresh.values()]),
    stranded: [...new Set(known.filter(({ state }) => state === 'stranded').map(({ parcelId }) => parcelId))],
    counts,
  };
}

/** A Map compares Buffers by identity: hashes are compared as strings of their bytes. */
export const keyOf = (hash: Buffer): string => hash.toString('latin1');

/** What a parcel holds at most. */
const PARCEL_LIMITS = {
  /**
   * A worker makes as many forward passes of it as its device does best with, or one of several parcels. Large enough
   * that the queue has little to do, small enough that a worker which is stopped or dies holds little work.
   */
  tokens: 2048,
  contents: 256,
} as const;

/**
 * Cuts contents into parcels of nearly one length: sorted by length, each as full as the limits allow. A content
 * longer than the limit is a parcel of its own.
 */
export function cutParcels(
  contents: readonly Content[],
  limits: { tokens: number; contents: number } = PARCEL_LIMITS,
): NewParcel[] {
  const sorted = [...contents].sort((a, b) => a.tokenIds.length - b.tokenIds.length);
  const parcels: NewParcel[] = [];
  let current: NewParcel = { hashes: [], tokenIds: [] };
  let tokens = 0;
  for (const { hash, tokenIds } of sorted) {
    const full = tokens + tokenIds.length > limits.tokens || current.hashes.length >= limits.contents;
    if (full && current.hashes.length > 0) {
      parcels.push(current);
      current = { hashes: [], tokenIds: [] };
      tokens = 0;
    }
    current.hashes.push(hash);
    current.tokenIds.push(tokenIds);
    tokens += tokenIds.length;
  }
  if (current.hashes.length > 0) parcels.push(current);
  return parcels;
}
