import { isUserError, type Retention, type RunState } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { rankRun } from '../ranking/ranking.js';
import { noSuchRun } from './retry-run.js';

/** Row counts of a run. rows = fresh + known + duplicates + rejected, and rows = scored + failed + rejected + left. */
export interface RunCounts {
  /** Rows of the corpus in the store. */
  rows: number;
  /** Rows whose content had no score when it was submitted: the run waits for their forward passes. */
  fresh: number;
  /** Rows with a cached score. */
  known: number;
  /** Rows whose content occurs in an earlier row. */
  duplicates: number;
  /** Unreadable rows. */
  rejected: number;
  /** Rows longer than the guard's maximum length: only the beginning is scored. */
  truncated: number;
  /** Rows with a score. */
  scored: number;
  /** Rows whose content has an error. */
  failed: number;
  /** Rows with score >= threshold; null without a threshold, or before the first count. */
  flagged: number | null;
  /** Rows that wait for a score. */
  left: number;
}

/** A run: its request, state and row counts. */
export interface Run extends RunCounts {
  id: number;
  /** Name of the corpus. */
  name: string;
  guardId: number;
  /** The guard's reference. */
  guard: string;
  fingerprint: string;
  state: RunState;
  /** Why it failed, or what cancelled it if not a person. */
  reason: string | null;
  threshold: number | null;
  retain: Retention;
  /** uuid of the submitting key; null without one. */
  ownerKey: string | null;
  createdAt: Date;
  finishedAt: Date | null;
  /** Last heartbeat of its process; null when none has to attend it. */
  seenAt: Date | null;
  /** When `scored`, `failed` and `flagged` were counted; null before that, when they are 0, 0 and null. */
  countedAt: Date | null;
  /** The counts are final. */
  final: boolean;
}

export interface RunsPage {
  limit: number;
  /** Older than this run. */
  before?: number;
  states?: readonly RunState[];
  /** Runs whose name contains this, ignoring case. */
  name?: string;
  /** Runs of this key only. */
  ownerKey?: string;
}

/** Runs with their last counts, newest first. */
export function pageRuns(pool: Pool, page: RunsPage): Promise<Run[]> {
  return select(
    pool,
    `where ($2::bigint is null or id < $2) and ($3::text[] is null or state = any($3))
       and ($4::text is null or position(lower($4) in lower(name)) > 0) and ($5::uuid is null or owner_key = $5)
     order by id desc limit $1`,
    [page.limit, page.before, page.states, page.name, page.ownerKey],
  );
}

/** The newest runs, newest first. A finished run is counted once, an open one at every call. */
export async function listRuns(pool: Pool, { limit }: { limit: number }): Promise<Run[]> {
  const before = await pageRuns(pool, { limit });
  const uncounted = before.filter(
    ({ countedAt, finishedAt }) => countedAt === null || finishedAt === null || countedAt <= finishedAt,
  );
  for (const { id } of uncounted) {
    await rankRun(pool, id).catch((error: unknown) => {
      // It was deleted meanwhile.
      if (!isUserError(error)) throw error;
    });
  }
  return uncounted.length === 0 ? before : pageRuns(pool, { limit });
}

/** One run with its last counts; undefined when it does not exist. */
export async function findRun(pool: Pool, runId: number): Promise<Run | undefined> {
  const [run] = await select(pool, 'where id = $1', [runId]);
  return run;
}

/**
 * One run. The counts of an open one are some seconds old.
 * @throws UserError when it does not exist
 */
export async function getRun(pool: Pool, runId: number): Promise<Run> {
  await rankRun(pool, runId);
  const run = await findRun(pool, runId);
  if (run === undefined) throw noSuchRun(runId);
  return run;
}

/**
 * Cheap to poll: a run's state, why it failed, and its stored rows.
 * @throws UserError when it does not exist
 */
export async function runHead(pool: Pool, runId: number): Promise<Pick<Run, 'state' | 'reason' | 'rows'>> {
  const { rows } = await pool.query<Pick<Run, 'state' | 'reason' | 'rows'>>(
    'select state, reason, rows from runs where id = $1',
    [runId],
  );
  const [run] = rows;
  if (run === undefined) throw noSuchRun(runId);
  return run;
}

/** SQL, for speed: counts come from the bounds of the ranking's chunks, and from the one chunk with the threshold. */
async function select(pool: Pool, which: string, values: unknown[]): Promise<Run[]> {
  const { rows } = await pool.query<Omit<Run, 'left'>>(
    `select r.id, r.name, g.ref as guard, g.fingerprint, r.state, r.reason, r.threshold, r.retain,
            r.created_at as "createdAt", r.finished_at as "finishedAt", r.seen_at as "seenAt",
            r.rows, r.fresh, r.known, r.duplicates, r.rejected, r.truncated,
            coalesce(k.scored, 0) as scored, coalesce(k.failed, 0) as failed,
            case when k.run_id is not null and r.threshold is not null then (
              select coalesce(sum(case when bottom_score >= r.threshold then c.rows
                                       else (select count(*) from unnest(c.scores) score where score >= r.threshold) end), 0)
              from ranking_chunks c where c.run_id = r.id and c.top_score >= r.threshold
            )::bigint end as flagged,
            r.guard_id as "guardId", r.owner_key as "ownerKey",
            k.built_at as "countedAt", coalesce(k.final, false) as final
     from (select * from runs ${which}) r
     join guards g on g.id = r.guard_id
     left join run_rankings k on k.run_id = r.id
     order by r.id desc`,
    values,
  );
  // The rows may have been counted after their scores.
  return rows.map((run) => ({
    ...run,
    left: Math.max(0, run.rows - run.rejected - run.scored - run.failed),
  }));
}

/** A row without a score, and why. */
export interface ProblemRow {
  seq: number;
  key: string;
  /** It could not be read; otherwise it could not be scored. */
  unreadable: boolean;
  reason: string;
}

/** Unreadable and failed rows of a run: up to `limit` after a row. */
export async function problemRows(
  pool: Pool,
  runId: number,
  limit: number,
  after = 0,
): Promise<ProblemRow[]> {
  const { rows } = await pool.query<ProblemRow>(
    `select i.seq, i.key, i.reject is not null as unreadable, coalesce(i.reject, s.error) as reason
     from runs r join items i on i.run_id = r.id
     left join lateral (select error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     where r.id = $1 and i.seq > $3 and (i.reject is not null or s.error is not null)
     order by i.seq
     limit $2`,
    [runId, limit, after],
  );
  return rows;
}

/** Why rows of a run have no score: the number of rows per reason, and the first of them. */
export interface ProblemReason {
  rows: number;
  first: ProblemRow;
}

/**
 * The most frequent reasons, grouped regardless of the row's place, numbers and quoted names. Scans every row of the
 * run: only call it when there are rows without a score.
 */
export async function problemReasons(pool: Pool, runId: number, limit: number): Promise<ProblemReason[]> {
  const { rows } = await pool.query<ProblemRow & { rows: number }>(
    `select reasons.rows, i.seq, i.key, i.reject is not null as unreadable, coalesce(i.reject, s.error) as reason
     from (select count(*) as rows, min(i.seq) as seq
           from runs r join items i on i.run_id = r.id
           left join lateral (select error from scores
                              where guard_id = r.guard_id and content = i.content limit 1) s on true
           where r.id = $1 and (i.reject is not null or s.error is not null)
           group by i.reject is not null, ${SENTENCE}
           order by rows desc, seq limit $2) reasons
     join runs r on r.id = $1
     join items i on i.run_id = $1 and i.seq = reasons.seq
     left join lateral (select error from scores
                        where guard_id = r.guard_id and content = i.content limit 1) s on true
     order by reasons.rows desc, i.seq`,
    [runId, limit],
  );
  return rows.map(({ rows: count, ...first }) => ({ rows: count, first }));
}

/** SQL: a reason without the row's place (`rows.csv, line 17: `), its numbers and its quoted names. */
const SENTENCE = `regexp_replace(regexp_replace(coalesce(i.reject, s.error), '^.*?, (line|row) [0-9,]+: ', ''),
             '"[^"]*"|[0-9][0-9,.]*', '', 'g')`;

/** A guard with scores or pending work in this database. */
export interface GuardRow {
  id: number;
  fingerprint: string;
  /** Its first reference. */
  ref: string;
  createdAt: Date;
  /** Its existing runs. */
  runs: number;
  /** Its pending parcels. */
  waitingParcels: number;
}

/** Guards, newest first. */
export async function listGuards(pool: Pool): Promise<GuardRow[]> {
  const { rows } = await pool.query<GuardRow>(
    `select g.id, g.fingerprint, g.ref, g.created_at as "createdAt",
            (select count(*) from runs r where r.guard_id = g.id) as runs,
            (select count(*) from parcels p where p.guard_id = g.id and p.state = 'waiting') as "waitingParcels"
     from guards g order by g.id desc`,
  );
  return rows;
}
