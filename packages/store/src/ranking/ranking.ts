import type { Pool } from '@tocsin/postgres';
import { noSuchRun } from '../runs/retry-run.js';
import { buildRanking } from './build-ranking.js';

/** What the ranking of a run is of. */
export interface Ranking {
  runId: number;
  /** Rows that got their score later are not in it. */
  asOf: Date;
  /** It never changes any more: the run is over, and each row that could be read has a score. */
  final: boolean;
  /** Rows with a score. */
  scored: number;
  /** Rows whose content ended in an error. */
  failed: number;
}

/** A ranking that can still change is built again after so long, and after so many times what it took to build. */
const AGE = { going: { seconds: 3, builds: 10 }, over: { seconds: 10, builds: 100 } };

/**
 * The ranking of a run, made now if there is none or it has grown old. Everything else in this folder reads what the last
 * such look has left: look first. A second look while another process builds gets the old one.
 * @throws UserError when there is no such run
 */
export async function rankRun(pool: Pool, runId: number): Promise<Ranking> {
  const found = await look(pool, runId);
  if (found.ranking !== undefined && !found.old) return found.ranking;
  await buildRanking(pool, runId, found.ranking === undefined ? 'wait' : 'leave', async (client) => {
    const { ranking, old } = await look(client, runId);
    return ranking === undefined || old;
  });
  const { ranking } = await look(pool, runId);
  // The run was deleted while it was ranked.
  if (ranking === undefined) throw noSuchRun(runId);
  return ranking;
}

/** @throws UserError when there is no such run */
async function look(
  pool: Pick<Pool, 'query'>,
  runId: number,
): Promise<{ ranking: Ranking | undefined; old: boolean }> {
  // SQL: asked at every look at a run; one row by its key, with what makes it old.
  const { rows } = await pool.query<Omit<Ranking, 'asOf'> & { asOf: Date | null; old: boolean }>(
    `select r.id as "runId", k.built_at as "asOf", k.final, k.scored, k.failed,
            not k.final and (
              r.finished_at >= k.built_at
              or case when r.finished_at is null
                      then now() - k.built_at > greatest($2, $3 * k.built_in_ms / 1000.0) * interval '1 second'
                      else now() - k.built_at > greatest($4, $5 * k.built_in_ms / 1000.0) * interval '1 second' end
            ) as old
     from runs r left join run_rankings k on k.run_id = r.id where r.id = $1`,
    [runId, AGE.going.seconds, AGE.going.builds, AGE.over.seconds, AGE.over.builds],
  );
  const [row] = rows;
  if (row === undefined) throw noSuchRun(runId);
  const { old, asOf, ...rest } = row;
  return asOf === null
    ? { ranking: undefined, old: true }
    : { ranking: { ...rest, asOf }, old: old === true };
}
