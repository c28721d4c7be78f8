import { codeOf, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { type Change, keepChange } from './policy-changes.js';

/** A threshold with a name. */
export interface PolicyRow {
  id: number;
  name: string;
  /** harmful when score >= threshold; to the precision of a score. */
  threshold: number;
  /** What it is for, in words. */
  meaning: string;
  createdAt: Date;
  /** Null for one that is in use. */
  archivedAt: Date | null;
  /** When it was last changed, and by whom. */
  changedAt: Date;
  changedBy: string;
}

export interface NewPolicy {
  name: string;
  threshold: number;
  meaning: string;
}

const SELECT = `select p.id, p.name, p.threshold, p.meaning, p.created_at as "createdAt",
    p.archived_at as "archivedAt", c.at as "changedAt", c.who as "changedBy"
  from policies p
  join lateral (select at, who from policy_changes where policy_id = p.id order by id desc limit 1) c on true`;
const UNIQUE_VIOLATION = '23505';

/** Those in use, the lowest threshold first; then, if asked for, those that are archived. */
export async function listPolicies(pool: Pool, options: { archived?: boolean } = {}): Promise<PolicyRow[]> {
  const { rows } = await pool.query<PolicyRow>(
    `${SELECT} where $1 or p.archived_at is null order by p.archived_at is not null, p.threshold, p.name`,
    [options.archived === true],
  );
  return rows;
}

/** One by its name, archived or not; undefined when there is none. */
export async function findPolicy(pool: Pick<Pool, 'query'>, name: string): Promise<PolicyRow | undefined> {
  const { rows } = await pool.query<PolicyRow>(`${SELECT} where p.name = $1`, [name]);
  return rows[0];
}

/** @throws UserError when there is a policy of that name, archived or not, or the threshold is not in [0, 1] */
export async function addPolicy(pool: Pool, policy: NewPolicy, change: Change): Promise<PolicyRow> {
  requireThreshold(policy.threshold);
  return withFreeName(policy.name, () =>
    inTransaction(pool, async (client) => {
      const { rows } = await client.query<{ id: number }>(
        'insert into policies (name, threshold, meaning) values ($1, $2, $3) returning id',
        [policy.name, policy.threshold, policy.meaning],
      );
      const [row] = rows;
      if (row === undefined) throw new Error('the insert returned no row');
      await keepChange(client, row.id, change, { what: 'created', thresholdTo: policy.threshold });
      return requirePolicy(client, policy.name);
    }),
  );
}

/** One that is known to be there. */
export async function requirePolicy(client: Pick<Pool, 'query'>, name: string): Promise<PolicyRow> {
  const policy = await findPolicy(client, name);
  if (policy === undefined) throw new Error('a policy is gone that was there in the same transaction');
  return policy;
}

export function requireThreshold(threshold: number): void {
  if (threshold >= 0 && threshold <= 1) return;
  throw new UserError(`the threshold ${threshold} is not between 0 and 1`, {
    hint: 'A score is a probability: 0.5 flags what is more likely harmful than not.',
  });
}

/** Says in words that a name is taken. */
export async function withFreeName<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (codeOf(cause) !== UNIQUE_VIOLATION) throw cause;
    throw new UserError(`there is a policy named ${name} already`, {
      hint: 'Change that one, or choose another name. One that was archived keeps its name.',
      cause,
    });
  }
}
