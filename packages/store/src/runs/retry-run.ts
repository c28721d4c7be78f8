import { HASH_BYTES, isOpen, type RunState, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import type pg from 'pg';
import { QUARANTINE_AFTER } from '../parcels/lease-parcel.js';
import { adoptParcels } from '../parcels/waiting-parcels.js';

/** The result of a retry. */
export interface RetriedRun {
  guardId: number;
  /** Parcels to be enqueued. */
  parcels: number[];
  /** Rows whose content has an error and no stored tokens: they need their corpus. */
  lost: number;
}

/**
 * Retries the unscored contents of a finished run: its cancelled parcels and failed contents. The run then needs no
 * heartbeats; one without anything to retry stays unchanged. A run that failed before its corpus was complete keeps its
 * reason, and fails again at its end.
 * @throws UserError when it does not exist, or has not finished
 */
export function retryRun(pool: Pool, runId: number): Promise<RetriedRun> {
  return inTransaction(pool, async (client) => {
    const { rows } = await client.query<{ state: RunState; guardId: number }>(
      'select state, guard_id as "guardId" from runs where id = $1 for update',
      [runId],
    );
    const [run] = rows;
    if (run === undefined) throw noSuchRun(runId);
    if (isOpen(run.state)) {
      throw new UserError(`run ${runId} is not over, its state is ${run.state}`, {
        hint: `Wait for it (tocsin runs watch ${runId}), or cancel it first (tocsin runs cancel ${runId}).`,
      });
    }
    const cancelled = await idsOf(
      client,
      `update parcels set state = 'waiting' where run_id = $1 and state = 'cancelled' returning id`,
      [runId],
    );
    const parcels = [
      ...cancelled,
      ...(await adoptParcels(client, runId)),
      ...(await reopenFailed(client, runId)),
    ].sort((a, b) => a - b);
    if (parcels.length > 0) {
      await client.query(
        `update runs set state = 'scoring', finished_at = null, seen_at = null,
                reason = case when state = 'failed' and submitted_at is null then reason end
         where id = $1`,
        [runId],
      );
      // Failed rows that are pending again.
      await client.query('delete from run_rankings where run_id = $1', [runId]);
    }
    return { guardId: run.guardId, parcels, lost: await countFailed(client, runId) };
  });
}

export function noSuchRun(runId: number): UserError {
  return new UserError(`there is no run ${runId}`, { hint: '`tocsin runs` lists those that there are.' });
}

/** The failed contents of a run. One look-up per row, as in `hasUnresolvedItems`. */
const FAILED = `runs r join items i on i.run_id = r.id
  join lateral (select parcel_id from scores s
                where s.guard_id = r.guard_id and s.content = i.content and s.error is not null limit 1) failed on true
  where r.id = $1`;

/** A finished parcel still contains its failed contents: it is reduced to them. Worker deaths are counted from zero. */
async function reopenFailed(client: pg.PoolClient, runId: number): Promise<number[]> {
  const ids = await idsOf(
    client,
    `update parcels
     set state = 'waiting', run_id = $1, finished_at = null,
         contents = octet_length(hashes) / ${HASH_BYTES}, tokens = octet_length(token_ids) / 4,
         lost_leases = least(lost_leases, $2)
     where state = 'done' and hashes is not null and id in (select failed.parcel_id from ${FAILED})
     returning id`,
    [runId, QUARANTINE_AFTER],
  );
  await client.query(
    `update scores set error = null
     from (select p.guard_id, p.id, substring(p.hashes from ${HASH_BYTES} * n + 1 for ${HASH_BYTES}) as content
           from parcels p, generate_series(0, octet_length(p.hashes) / ${HASH_BYTES} - 1) n
           where p.id = any($1::bigint[])) held
     where scores.guard_id = held.guard_id and scores.content = held.content
       and scores.parcel_id = held.id and scores.error is not null`,
    [ids],
  );
  return ids;
}

async function countFailed(client: pg.PoolClient, runId: number): Promise<number> {
  const { rows } = await client.query<{ count: number }>(`select count(*) as count from ${FAILED}`, [runId]);
  return rows[0]?.count ?? 0;
}

async function idsOf(client: pg.PoolClient, sql: string, values: unknown[]): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>(sql, values);
  return rows.map((row) => row.id);
}
