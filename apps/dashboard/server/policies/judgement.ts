import type { Pool } from '@tocsin/postgres';
import { findPolicy } from '@tocsin/store';
import type { ServedGuard, ServedGuards } from '../guards/served-guards.js';
import { ApiError } from '../http/api-error.js';

/** A guard, and the score from which a text is harmful. */
export interface Judgement {
  guard: ServedGuard;
  threshold: number;
  /** Null for a threshold without a policy. */
  policy: string | null;
}

export interface AskedJudgement {
  guard?: string;
  policy?: string;
  threshold?: number;
}

/** @throws ApiError for an unknown guard or policy, or for both a policy and a threshold */
export async function judgementOf(
  { pool, guards }: { pool: Pool; guards: ServedGuards },
  asked: AskedJudgement,
): Promise<Judgement> {
  const guard = guards.named(asked.guard);
  const given = await thresholdOf(pool, asked);
  return { guard, threshold: given ?? guard.threshold, policy: asked.policy ?? null };
}

/** The requested threshold, by policy or as a number; undefined when the request has neither. */
export async function thresholdOf(
  pool: Pool,
  { policy, threshold }: Omit<AskedJudgement, 'guard'>,
): Promise<number | undefined> {
  if (policy === undefined) return threshold;
  if (threshold !== undefined) {
    throw new ApiError(400, 'both a policy and a threshold were given; expected one of them', {
      field: 'policy',
    });
  }
  return (await requirePolicy(pool, policy)).threshold;
}

/** @throws ApiError when no active policy has this name */
async function requirePolicy(pool: Pool, name: string): Promise<{ threshold: number }> {
  const policy = await findPolicy(pool, name);
  if (policy !== undefined && policy.archivedAt === null) return policy;
  throw new ApiError(
    404,
    `there is no policy ${name}${policy === undefined ? '' : ' in use: it is archived'}`,
    {
      field: 'policy',
      hint: 'List them with GET /api/policies',
    },
  );
}
