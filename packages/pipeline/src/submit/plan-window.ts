import { type CorpusRow, placeOf } from '@tocsin/corpus';
import type { Content } from '@tocsin/engine';
import type { KnownContent, NewParcel, Window, WindowItem } from '@tocsin/store';

/** Progress of a run before the current window. */
export interface RunPosition {
  runId: number;
  guardId: number;
  /** Rows stored so far. */
  rows: number;
  /** Whether the text of each row is stored. */
  texts: boolean;
}

/**
 * Plans the parcels of a window: each content without a score goes into one parcel once, whatever the number of its rows.
 * @param contents one per row; undefined for a reject
 * @param known cached state of these contents
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
    // In an earlier window of this run, or earlier in this one: a duplicate within the corpus.
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

/** Keyed by the bytes as a string, since a Map compares Buffers by identity. */
export const keyOf = (hash: Buffer): string => hash.toString('latin1');

/** Limits of a parcel. */
const PARCEL_LIMITS = {
  /**
   * A worker splits or merges parcels into forward passes. Large enough to keep the queue's load low, small enough that a worker
   * holds little work when it stops or dies.
   */
  tokens: 2048,
  contents: 256,
} as const;

/**
 * Cuts contents into parcels of similar length: sorted by length, each as full as the limits allow. A content over the token
 * limit gets its own parcel.
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
