import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import { eq, sql } from 'drizzle-orm';
import { policies } from '../schema/access.js';
import { runQuery } from '../schema/run-query.js';
import { type PolicyRow, requirePolicy, requireThreshold, withFreeName } from './policies.js';
import { type Change, type ChangedPart, keepChange } from './policy-changes.js';

/** What is to be another; the rest stays. */
export interface PolicyChanges {
  name?: string;
  threshold?: number;
  meaning?: string;
  archived?: boolean;
}

/**
 * Changes a policy, and keeps what it was: an entry for each part that is another now. It counts at once, for all runs;
 * nothing is scored again.
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
