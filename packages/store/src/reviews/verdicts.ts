import { UserError, type Verdict } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { inTransaction } from '@tocsin/postgres';
import type { ScoredRun } from '../items/index.js';

/** What somebody said of a content. */
export interface VerdictRow {
  id: number;
  seq: number;
  reviewer: string;
  verdict: Verdict;
  /** The row's, when it was said. */
  score: number;
  note: string | null;
  createdAt: Date;
}

export interface NewVerdict {
  seq: number;
  reviewer: string;
  verdict: Verdict;
  note?: string;
}

const COLUMNS = 'id, seq, reviewer, verdict, score, note, created_at as "createdAt"';

/**
 * Keeps what a reviewer says of a row, in place of what the same reviewer has said of its content before, and lets the row
 * go. The lease may have run out, as long as nobody else has the row.
 * @throws UserError when another reviewer has it now
 * @returns undefined when the run has no such row, or it has no score
 */
export function giveVerdict(pool: Pool, run: ScoredRun, given: NewVerdict): Promise<VerdictRow | undefined> {
  return inTransaction(pool, async (client) => {
    const { rows: found } = await client.query<{ content: Buffer; score: number }>(
      `select i.content, s.score from items i join scores s on s.guard_id = $2 and s.content = i.content
       where i.run_id = $1 and i.seq = $3 and s.score is not null`,
      [run.id, run.guardId, given.seq],
    );
    const [row] = found;
    if (row === undefined) return undefined;
    const { rows: leases } = await client.query<{ reviewer: string; live: boolean }>(
      `select reviewer, until > now() as live from review_leases
       where guard_id = $1 and content = $2 for update`,
      [run.guardId, row.content],
    );
    const [lease] = leases;
    if (lease?.live === true && lease.reviewer !== given.reviewer) {
      throw new UserError(`row ${given.seq} is with another reviewer now`, {
        hint: 'It was before you for more than ten minutes. Ask for the next row.',
      });
    }
    const { rows: kept } = await client.query<VerdictRow>(
      `insert into verdicts (guard_id, content, run_id, seq, score, reviewer, verdict, note)
       values ($1, $2, $3, $4, $5, $6, $7, $8)
       on conflict (guard_id, content, reviewer) where undone_at is null do update
       set run_id = excluded.run_id, seq = excluded.seq, score = excluded.score, verdict = excluded.verdict,
           note = excluded.note, created_at = now()
       returning ${COLUMNS}`,
      [
        run.guardId,
        row.content,
        run.id,
        given.seq,
        row.score,
        given.reviewer,
        given.verdict,
        given.note ?? null,
      ],
    );
    await client.query('delete from review_leases where guard_id = $1 and content = $2 and reviewer = $3', [
      run.guardId,
      row.content,
      given.reviewer,
    ]);
    return kept[0];
  });
}

/**
 * Takes back what a reviewer said last in a run; again, what was said before that.
 * @returns undefined when there is nothing left to take back
 */
export async function undoVerdict(
  pool: Pool,
  runId: number,
  reviewer: string,
): Promise<VerdictRow | undefined> {
  const { rows } = await pool.query<VerdictRow>(
    `update verdicts set undone_at = now()
     where id = (select id from verdicts where run_id = $1 and reviewer = $2 and undone_at is null
                 order by created_at desc, id desc limit 1)
       and undone_at is null
     returning ${COLUMNS}`,
    [runId, reviewer],
  );
  return rows[0];
}

/** How much somebody has said in a run. */
export interface ReviewerCounts {
  reviewer: string;
  harmful: number;
  fine: number;
  skip: number;
}

/** Whoever has said something in a run, by name. */
export async function reviewerCounts(pool: Pool, runId: number): Promise<ReviewerCounts[]> {
  const { rows } = await pool.query<ReviewerCounts>(
    `select reviewer, count(*) filter (where verdict = 'harmful') as harmful,
            count(*) filter (where verdict = 'fine') as fine, count(*) filter (where verdict = 'skip') as skip
     from verdicts where run_id = $1 and undone_at is null group by reviewer order by reviewer`,
    [runId],
  );
  return rows;
}
