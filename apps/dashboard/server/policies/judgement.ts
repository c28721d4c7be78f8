import type { Pool } from '@tocsin/postgres';
import { findPolicy } from '@tocsin/store';
import type { ServedGuard, ServedGuards } from '../guards/served-guards.js';
import { ApiError } from '../http/api-error.js';

/** Who scores, and from which score on it is harmful. */
export interface Judgement {
  guard: ServedGuard;
  threshold: number;
  /** Null when a threshold was given, or the guard's own is meant. */
  policy: string | null;
}

export interface AskedJudgement {
  guard?: string;
  policy?: string;
  threshold?: number;
}

/** @throws ApiError for a guard or a policy that there is not, and for a policy and a threshold together */
export async function judgementOf(
  { pool, guards }: { pool: Pool; guards: ServedGuards },
  asked: AskedJudgement,
): Promise<Judgement> {
  const guard = guards.named(asked.guard);
  const given = await thresholdOf(pool, asked);
  return { guard, threshold: given ?? guard.threshold, policy: asked.policy ?? null };
}

/** The threshold that is asked for, by a policy's name or as it is; undefined when none is. */
export async function thresholdOf(
  pool: Pool,
  { policy, threshold }: Omit<AskedJudgement, 'guard'>,
): Promise<number | undefined> {
  if (policy === undefined) return threshold;
  if (threshold !== undefined) {
    throw new ApiError(400, 'a policy and a threshold are given; one of them was expected', {
      field: 'policy',
    });
  }
  return (await requirePolicy(pool, policy)).threshold;
}

/** @throws ApiError when there is none of that name in use */
async function requirePolicy(pool: Pool, name: string): Promise<{ threshold: number }> {
  const policy = await findPolicy(pool, name);
  if (policy !== undefined && policy.archivedAt === null) return policy;
  throw new ApiError(
    404,
    `there is no policy ${name}${policy === undefined ? '' : ' in use: it is archived'}`,
    {
      field: 'policy',
      hint: 'Those that there are: GET /api/policies',
    },
  );
}
