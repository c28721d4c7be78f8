import type { Content } from '@tocsin/engine';
import type { NewParcel } from '@tocsin/store';

/** What a parcel holds at most. */
export const PARCEL_LIMITS = {
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
