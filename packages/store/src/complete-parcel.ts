import type { Pool } from './connect.js';

/** A content's outcome: its score, or the reason why it has none. */
export interface ContentOutcome {
  /** 32 bytes. */
  hash: Buffer;
  score: number | null;
  error: string | null;
}

/**
 * Stores a parcel's scores and marks it done, in one statement: both or neither. Doing it again, or by two workers at
 * once, changes nothing: a score that is there stays.
 */
export async function completeParcel(
  pool: Pool,
  parcelId: number,
  outcomes: ContentOutcome[],
): Promise<void> {
  const sorted = [...outcomes].sort((a, b) => Buffer.compare(a.hash, b.hash));
  await pool.query(
    `with parcel as (
       update parcels
       set state = 'done', finished_at = now(), hashes = null, lengths = null, token_ids = null
       where id = $1 and state <> 'done'
       returning guard_id
     )
     update scores
     set score = outcome.score, error = outcome.error
     from parcel, unnest($2::bytea[], $3::real[], $4::text[]) as outcome (content, score, error)
     where scores.guard_id = parcel.guard_id and scores.content = outcome.content and scores.score is null`,
    [
      parcelId,
      sorted.map((outcome) => outcome.hash),
      sorted.map((outcome) => outcome.score),
      sorted.map((outcome) => outcome.error),
    ],
  );
}
