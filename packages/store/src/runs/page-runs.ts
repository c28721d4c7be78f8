import type { RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { RUN_FACTS, type RunFacts } from './run-facts.js';

/** A run, without a look at its rows. */
export interface RunSummary extends RunFacts {
  guardId: number;
  /** uuid of the key that it was submitted with; null when that took none. */
  ownerKey: string | null;
  /** What had become of the rows when the run was last ranked; null before the first time. */
  ranked: RankedCounts | null;
}

export interface RankedCounts {
  asOf: Date;
  final: boolean;
  scored: number;
  failed: number;
  /** Rows with score >= the run's threshold; null when it has none. */
  flagged: number | null;
}

export interface RunsPage {
  limit: number;
  /** Older than this run. */
  before?: number | undefined;
  states?: readonly RunState[] | undefined;
  /** Runs whose name has this in it, whatever the case. */
  name?: string | undefined;
  /** Runs of this key only. */
  ownerKey?: string | undefined;
}

/** Runs, the newest first. */
export function pageRuns(pool: Pool, page: RunsPage): Promise<RunSummary[]> {
  return select(
    pool,
    `where ($2::bigint is null or id < $2) and ($3::text[] is null or state = any($3))
       and ($4::text is null or position(lower($4) in lower(name)) > 0) and ($5::uuid is null or owner_key = $5)
     order by id desc limit $1`,
    [page.limit, page.before, page.states, page.name, page.ownerKey],
  );
}

/** One run; undefined when there is none. */
export async function findRun(pool: Pool, runId: number): Promise<RunSummary | undefined> {
  const [run] = await select(pool, 'where id = $1', [runId]);
  return run;
}

async function select(pool: Pool, which: string, values: unknown[]): Promise<RunSummary[]> {
  const { rows } = await pool.query<RunSummary & { [K in keyof RankedCounts]: RankedCounts[K] | null }>(
    `select ${RUN_FACTS}, r.guard_id as "guardId", r.owner_key as "ownerKey",
            k.built_at as "asOf", k.final, k.scored, k.failed,
            case when k.run_id is not null and r.threshold is not null then (
              select coalesce(sum(case when bottom_score >= r.threshold then c.rows
                                       else (select count(*) from unnest(c.scores) score where score >= r.threshold) end), 0)
              from ranking_chunks c where c.run_id = r.id and c.top_score >= r.threshold
            )::bigint end as flagged
     from (select * from runs ${which}) r
     join guards g on g.id = r.guard_id
     left join run_rankings k on k.run_id = r.id
     order by r.id desc`,
    values,
  );
  return rows.map(({ asOf, final, scored, failed, flagged, ...run }) => ({
    ...run,
    ranked:
      asOf === null || final === null || scored === null || failed === null
        ? null
        : { asOf, final, scored, failed, flagged },
  }));
}
