import type { Pool } from '@tocsin/postgres';

/** An error is told to whoever asks within this time; later askers have the content tried again. */
const ERROR_KEPT_SECONDS = 600;

/** What the store knows of a content that somebody asks for. */
export interface KnownOutcome {
  /** 32 bytes. */
  hash: Buffer;
  score: number | null;
  error: string | null;
  /** The error is of the last ten minutes: another try would most likely end in it again, and cost the engine's life. */
  errorIsFresh: boolean;
  /** The express parcel that will bring the score; null when none is on its way. */
  parcelId: number | null;
}

/** What is known of the contents $2 (bytea[]) of the guard $1: those that have a score, an error or a claim. */
export const KNOWN_OUTCOMES = `
  select s.content as hash, s.score, s.error,
         s.error is not null
           and coalesce(p.finished_at > now() - interval '${ERROR_KEPT_SECONDS} seconds', false) as "errorIsFresh",
         case when s.score is null and s.error is null and p.state = 'waiting' and p.run_id is null
              then p.id end as "parcelId"
  from scores s left join parcels p on p.id = s.parcel_id
  where s.guard_id = $1::int and s.content = any($2::bytea[])`;

/**
 * Those of the contents that have a score, an error or a claim.
 * @param hashes 32 bytes each
 */
export async function knownOutcomes(pool: Pool, guardId: number, hashes: Buffer[]): Promise<KnownOutcome[]> {
  const { rows } = await pool.query<KnownOutcome>({
    name: 'known-outcomes',
    text: KNOWN_OUTCOMES,
    values: [guardId, hashes],
  });
  return rows;
}
