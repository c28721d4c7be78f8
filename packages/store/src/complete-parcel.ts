import type { Pool } from './connect.js';
import { EXPRESS_CHANNEL } from './express/express-listener.js';
import { bytesOf, lengthsOf } from './token-bytes.js';

/** A content's outcome: its score, or the reason why it has none. */
export interface ContentOutcome {
  /** 32 bytes. */
  hash: Buffer;
  score: number | null;
  error: string | null;
  /** Of a content with an error: its tokens, to be kept in the parcel for another try. */
  tokenIds?: Int32Array | undefined;
}

/**
 * Stores a parcel's scores and marks it done, in one statement: both or neither. Doing it again, or by two workers at
 * once, changes nothing: a score that is there stays. Who waits for an express parcel is told of it; that commit does
 * not wait for the disk: what a power cut takes is scored again.
 */
export async function completeParcel(
  pool: Pool,
  parcelId: number,
  outcomes: ContentOutcome[],
): Promise<void> {
  const kept = outcomes.flatMap(({ hash, error, tokenIds }) =>
    error === null || tokenIds === undefined ? [] : [{ hash, tokenIds }],
  );
  const keptIds = kept.map(({ tokenIds }) => tokenIds);
  const sorted = [...outcomes].sort((a, b) => Buffer.compare(a.hash, b.hash));
  await pool.query(
    `with parcel as (
       update parcels
       set state = 'done', finished_at = now(), hashes = $5, lengths = $6, token_ids = $7
       where id = $1 and state <> 'done'
       returning id, guard_id, run_id
     ), stored as (
       update scores
       set score = outcome.score, error = outcome.error
       from parcel, unnest($2::bytea[], $3::real[], $4::text[]) as outcome (content, score, error)
       where scores.guard_id = parcel.guard_id and scores.content = outcome.content and scores.score is null
     )
     select pg_notify('${EXPRESS_CHANNEL}', id::text), set_config('synchronous_commit', 'off', true)
     from parcel where run_id is null`,
    [
      parcelId,
      sorted.map((outcome) => outcome.hash),
      sorted.map((outcome) => outcome.score),
      sorted.map((outcome) => outcome.error),
      ...(kept.length === 0
        ? [null, null, null]
        : [Buffer.concat(kept.map(({ hash }) => hash)), lengthsOf(keptIds), bytesOf(keptIds)]),
    ],
  );
}
