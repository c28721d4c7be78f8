import type { Pool } from '@tocsin/postgres';
import { and, desc, eq, getTableColumns, lt } from 'drizzle-orm';
import { policyChanges as changes } from '../schema/access.js';
import { type Queryable, runQuery } from '../schema/run-query.js';

/** Who changes a policy, and why. */
export interface Change {
  who: string;
  note?: string;
}

const { policyId: _, ...COLUMNS } = getTableColumns(changes);

/** What became of a policy. */
export type PolicyChangeRow = Omit<typeof changes.$inferSelect, 'policyId'>;

/** The newest changes of a policy, newest first. @param page.before older than this change */
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

/** What changed: of a threshold both numbers, of a name or a meaning both wordings. */
export type ChangedPart = Pick<PolicyChangeRow, 'what'> &
  Partial<Pick<PolicyChangeRow, 'thresholdFrom' | 'thresholdTo' | 'wordsFrom' | 'wordsTo'>>;

/** Keeps a change, as a part of the transaction that makes it. */
export async function keepChange(
  client: Queryable,
  policyId: number,
  change: Change,
  part: ChangedPart,
): Promise<void> {
  await runQuery(client, (db) => db.insert(changes).values({ policyId, ...change, ...part }));
}
