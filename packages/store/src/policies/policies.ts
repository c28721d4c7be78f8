import { codeOf, UserError } from '@tocsin/core';
import { inTransaction, type Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import type { NodePgDatabase } from 'drizzle-orm/node-postgres';
import { policyChanges as changes, policies } from '../schema/access.js';
import { inserted, type Queryable, runQuery } from '../schema/run-query.js';

/** A named threshold with its last change. */
export type PolicyRow = typeof policies.$inferSelect & { changedAt: Date; changedBy: string };

export interface NewPolicy {
  name: string;
  threshold: number;
  meaning: string;
}

const UNIQUE_VIOLATION = '23505';

function selectPolicies(db: NodePgDatabase) {
  const latest = db
    .select({ at: changes.at, who: changes.who })
    .from(changes)
    .where(eq(changes.policyId, policies.id))
    .orderBy(desc(changes.id))
    .limit(1)
    .as('latest');
  return db
    .select({ ...getTableColumns(policies), changedAt: latest.at, changedBy: latest.who })
    .from(policies)
    .innerJoinLateral(latest, sql`true`);
}

/** Active policies, lowest threshold first; then, on request, archived ones. */
export function listPolicies(pool: Pool, options: { archived?: boolean } = {}): Promise<PolicyRow[]> {
  return runQuery(pool, (db) =>
    selectPolicies(db)
      .where(options.archived === true ? undefined : isNull(policies.archivedAt))
      .orderBy(isNotNull(policies.archivedAt), policies.threshold, policies.name),
  );
}

/** A policy by name, archived or not; undefined when it does not exist. */
export async function findPolicy(pool: Queryable, name: string): Promise<PolicyRow | undefined> {
  const [policy] = await runQuery(pool, (db) => selectPolicies(db).where(eq(policies.name, name)));
  return policy;
}

/** @throws UserError when the name is taken, even by an archived policy, or the threshold is not in [0, 1] */
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

/** A policy that is known to exist. */
async function requirePolicy(client: Queryable, name: string): Promise<PolicyRow> {
  const policy = await findPolicy(client, name);
  if (policy === undefined) throw new Error('a policy is gone that was there in the same transaction');
  return policy;
}

function requireThreshold(threshold: number): void {
  if (threshold >= 0 && threshold <= 1) return;
  throw new UserError(`the threshold ${threshold} is not between 0 and 1`, {
    hint: 'A score is a probability: 0.5 flags what is more likely harmful than not.',
  });
}

/** Turns a unique violation into a UserError. */
async function withFreeName<T>(name: string, work: () => Promise<T>): Promise<T> {
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

/** The author of a change, and the reason. */
export interface Change {
  who: string;
  note?: string;
}

const { policyId: _, ...COLUMNS } = getTableColumns(changes);

/** A change of a policy. */
export type PolicyChangeRow = Omit<typeof changes.$inferSelect, 'policyId'>;

/** The latest changes of a policy, newest first. @param page.before older than this change */
export function policyChanges(
  pool: Pool,
  policyId: number,
  { limit, before }: { limit: number; before?: number },
): Promise<PolicyChangeRow[]> {
  return runQuery(pool, (db) =>
    db
      .select(COLUMNS)
      .from(changes)
      .where(and(eq(changes.policyId, policyId), before === undefined ? undefined : lt(changes.id, before)))
      .orderBy(desc(changes.id))
      .limit(limit),
  );
}

/** The change: old and new threshold, name or meaning. */
type ChangedPart = Pick<PolicyChangeRow, 'what'> &
  Partial<Pick<PolicyChangeRow, 'thresholdFrom' | 'thresholdTo' | 'wordsFrom' | 'wordsTo'>>;

/** Records a change within its transaction. */
async function keepChange(
  client: Queryable,
  policyId: number,
  change: Change,
  part: ChangedPart,
): Promise<void> {
  await runQuery(client, (db) => db.insert(changes).values({ policyId, ...change, ...part }));
}

/** Changes; other fields stay. */
export interface PolicyChanges {
  name?: string;
  threshold?: number;
  meaning?: string;
  archived?: boolean;
}

/**
 * Changes a policy and records an entry per changed field. It applies immediately to all runs; nothing is scored again.
 * @throws UserError when the new name is taken, or the threshold is not in [0, 1]
 * @returns undefined when there is no such policy
 */
export async function changePolicy(
  pool: Pool,
  name: string,
  changes: PolicyChanges,
  change: Change,
): Promise<PolicyRow | undefined> {
  if (changes.threshold !== undefined) requireThreshold(changes.threshold);
  return withFreeName(changes.name ?? name, () =>
    inTransaction(pool, async (client) => {
      const locked = await runQuery(client, (db) =>
        db.select({ id: policies.id }).from(policies).where(eq(policies.name, name)).for('update'),
      );
      if (locked.length === 0) return undefined;
      const before = await requirePolicy(client, name);
      const { archived, ...parts } = changes;
      const archivedAt = archived ? sql`coalesce(${policies.archivedAt}, now())` : null;
      await runQuery(client, (db) =>
        db
          .update(policies)
          .set({ ...parts, name: parts.name ?? name, ...(archived !== undefined && { archivedAt }) })
          .where(eq(policies.id, before.id)),
      );
      const after = await requirePolicy(client, changes.name ?? name);
      for (const part of changedParts(before, after)) await keepChange(client, before.id, change, part);
      return requirePolicy(client, after.name);
    }),
  );
}

function changedParts(before: PolicyRow, after: PolicyRow): ChangedPart[] {
  const parts: ChangedPart[] = [];
  if (after.threshold !== before.threshold) {
    parts.push({ what: 'threshold', thresholdFrom: before.threshold, thresholdTo: after.threshold });
  }
  if (after.meaning !== before.meaning) {
    parts.push({ what: 'meaning', wordsFrom: before.meaning, wordsTo: after.meaning });
  }
  if (after.name !== before.name) {
    parts.push({ what: 'renamed', wordsFrom: before.name, wordsTo: after.name });
  }
  if ((after.archivedAt === null) !== (before.archivedAt === null)) {
    parts.push({ what: after.archivedAt === null ? 'restored' : 'archived' });
  }
  return parts;
}
