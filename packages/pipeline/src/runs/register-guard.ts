import type { OpenGuard } from '@tocsin/engine';
import { type Pool, withRetry } from '@tocsin/postgres';
import { type RegisteredGuard, registerGuard } from '@tocsin/store';

/** Where a guard's scores are kept in this database; the guard is registered if it was not. */
export function registerOpenGuard(pool: Pool, guard: OpenGuard): Promise<RegisteredGuard> {
  return withRetry(() => registerGuard(pool, guard.fingerprint, guardText(guard)));
}

/** A guard for people, as lists and messages name it: `starter, float32`. */
export function guardText({ pinned, precision }: Pick<OpenGuard, 'pinned' | 'precision'>): string {
  const { guard, backbone } = pinned;
  return `${guard}${backbone === undefined ? '' : ` on ${backbone}`}, ${precision}`;
}
