import type { Pool } from '@tocsin/postgres';
import type { PolicyChange } from '../schema/access.js';

/** Who changes a policy, and why. */
export interface Change {
  who: string;
  note?: string;
}

/** What became of a policy. */
export interface PolicyChangeRow {
  id: number;
  at: Date;
  who: string;
  what: PolicyChange;
  thresholdFrom: number | null;
  thresholdTo: number | null;
  /** Of a name or a meaning. */
  wordsFrom: string | null;
  wordsTo: string | null;
  note: string | null;
}

/** The newest changes of a policy, newest first. @param page.before older than this change */
export async function policyChanges(
  pool: Pool,
  policyId: number,
  page: { limit: number; before?: number },
): Promise<PolicyChangeRow[]> {
  const { rows } = await pool.query<PolicyChangeRow>(
    `select id, at, who, what, threshold_from as "thresholdFrom", threshold_to as "thresholdTo",
            words_from as "wordsFrom", words_to as "wordsTo", note
     from policy_changes where policy_id = $1 and ($3::bigint is null or id < $3) order by id desc limit $2`,
    [policyId, page.limit, page.before ?? null],
  );
  return rows;
}

/** What changed: of a threshold both numbers, of a name or a meaning both wordings. */
export type ChangedPart = Pick<PolicyChangeRow, 'what'> &
  Partial<Pick<PolicyChangeRow, 'thresholdFrom' | 'thresholdTo' | 'wordsFrom' | 'wordsTo'>>;

/** Keeps a change, as a part of the transaction that makes it. */
export async function keepChange(
  client: Pick<Pool, 'query'>,
  policyId: number,
  { who, note }: Change,
  part: ChangedPart,
): Promise<void> {
  await client.query(
    `insert into policy_changes (policy_id, who, what, threshold_from, threshold_to, words_from, words_to, note)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [policyId, who, part.what, part.thresholdFrom, part.thresholdTo, part.wordsFrom, part.wordsTo, note],
  );
}
