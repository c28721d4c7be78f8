import { codeOf, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { desc, eq, getTableColumns, isNotNull, isNull, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { policies, policyChanges } from '../schema/access.js';
import { inserted, type Queryable, runQuery } from '../schema/run-query.js';
import { type Change, keepChange } from './policy-changes.js';

/** A threshold with a name, and when and by whom it was last changed. */
export type PolicyRow = typeof policies.$inferSelect & { changedAt: Date; changedBy: string };

export interface NewPolicy {
  name: string;
  threshold: number;
  meaning: string;
}

const UNIQUE_VIOLATION = '23505';

function selectPolicies(db: NodePgDatabase) {
  const latest = db
    .select({ at: policyChanges.at, who: policyChanges.who })
    .from(policyChanges)
    .where(eq(policyChanges.policyId, policies.id))
    .orderBy(desc(policyChanges.id))
    .limit(1)
    .as('latest');
  return db
    .select({ ...getTableColumns(policies), changedAt: latest.at, changedBy: latest.who })
    .from(policies)
    .innerJoinLateral(latest, sql`true`);
}

/** Those in use, the lowest threshold first; then, if asked for, those that are archived. */
export function listPolicies(pool: Pool, options: { archived?: boolean } = {}): Promise<PolicyRow[]> {
  return runQuery(pool, (db) =>
    selectPolicies(db)
      .where(options.archived === true ? undefined : isNull(policies.archivedAt))
      .orderBy(isNotNull(policies.archivedAt), policies.threshold, policies.name),
  );
}

/** One by its name, archived or not; undefined when there is none. */
export async function findPolicy(pool: Queryable, name: string): Promise<PolicyRow | undefined> {
  const [policy] = await runQuery(pool, (db) => selectPolicies(db).where(eq(policies.name, name)));
  return policy;
}

/** @throws UserError when there is a policy of that name, archived or not, or the threshold is not in [0, 1] */
export async function addPolicy(pool: Pool, policy: NewPolicy, change: Change): Promise<PolicyRow> {
  requireThreshold(policy.threshold);
  return withFreeName(policy.name, () =>
    inTransaction(pool, async (client) => {
      const { id } = inserted(
        await runQuery(client, (db) => db.insert(policies).values(policy).returning({ id: policies.id })),
      );
      await keepChange(client, id, change, { what: 'created', thresholdTo: policy.threshold });
      return requirePolicy(client, policy.name);
    }),
  );
}

/** One that is known to be there. */
export async function requirePolicy(client: Queryable, name: string): Promise<PolicyRow> {
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
