import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
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
      const { rowCount } = await client.query('select from policies where name = $1 for update', [name]);
      if (rowCount === 0) return undefined;
      const before = await requirePolicy(client, name);
      await client.query(
        `update policies
         set name = coalesce($2, name), threshold = coalesce($3, threshold), meaning = coalesce($4, meaning),
             archived_at = case when $5 then coalesce(archived_at, now()) when not $5 then null else archived_at end
         where id = $1`,
        [before.id, changes.name, changes.threshold, changes.meaning, changes.archived],
      );
      const after = await requirePolicy(client, changes.name ?? name);
      const parts = changedParts(before, after);
      for (const part of parts) await keepChange(client, before.id, change, part);
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
