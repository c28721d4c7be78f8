import type { RowOutcome } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { countTry, forgiveTry, type LeasedParcel, SUSPECT_AFTER, splitParcel } from '@tocsin/store';

/** Workers that may die over a single content, with nothing beside it, before it is to blame. */
const LONE_TRIES = 3;

/** What becomes of a parcel that workers have died over. */
export type Verdict = 'tried alone' | 'split' | 'given up';

export const isSuspect = ({ lostLeases }: LeasedParcel): boolean => lostLeases >= SUSPECT_AFTER;

export interface SuspectOptions {
  pool: Pool;
  score: (parcel: LeasedParcel) => Promise<RowOutcome[]>;
  onVerdict?: (parcelId: number, verdict: Verdict) => void;
  /** Told of what goes wrong and only costs time. */
  onError?: (error: Error) => void;
  signal: AbortSignal;
}

/**
 * A suspect, with no other parcel beside it: is it the one that ends workers? If one has died over it in this way
 * already, its halves take its place (a reconciler queues them), and so on until one content is left; that one gets an
 * error after a few more deaths. So it costs no other row, whoever was in the same parcel.
 * @returns an outcome for each of its contents; undefined when the halves have taken its place
 */
export async function scoreSuspect(
  parcel: LeasedParcel,
  { pool, score, onVerdict, onError, signal }: SuspectOptions,
): Promise<RowOutcome[] | undefined> {
  const deaths = parcel.lostLeases - SUSPECT_AFTER;
  if (deaths > 0 && parcel.hashes.length > 1) {
    onVerdict?.(parcel.id, 'split');
    await withRetry(() => splitParcel(pool, parcel.id), signal);
    return undefined;
  }
  if (deaths >= LONE_TRIES) {
    onVerdict?.(parcel.id, 'given up');
    const error = `the worker process died over it ${deaths} times, with no other row beside it`;
    return parcel.hashes.map(() => ({ error }));
  }
  onVerdict?.(parcel.id, 'tried alone');
  await withRetry(() => countTry(pool, parcel), signal);
  try {
    return await score(parcel);
  } catch (error) {
    // It was given back, or failed for another reason, and the worker lives. If this cannot be stored, it counts as a
    // death, of which it takes several.
    await forgiveTry(pool, parcel).catch((error: Error) => onError?.(error));
    throw error;
  }
}
