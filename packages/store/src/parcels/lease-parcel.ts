import { HASH_BYTES } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { int32Of } from '../scores/contents.js';

/** A parcel's contents, ready for the engine. */
export interface LeasedParcel {
  id: number;
  /** 32 bytes each. */
  hashes: Buffer[];
  /** Token ids of each content, in the order of `hashes`. */
  tokenIds: Int32Array[];
  /** See `QUARANTINE_AFTER`. */
  lostLeases: number;
}

/** Which contents of an express parcel have a score, by their place: a run has been faster, or another asker. */
const SCORED = `select n from generate_series(0, contents - 1) n
  where (select s.score is not null from scores s
         where s.guard_id = p.guard_id and s.content = substring(p.hashes from ${HASH_BYTES} * n + 1 for ${HASH_BYTES}))`;

/**
 * What a parcel holds, if it still waits to be scored. The lease itself is the queue's: a parcel that two workers
 * take is scored twice and stored once. Contents of an express parcel that have a score are left out; of a run's
 * parcel, whose contents were new when it was cut, it would cost more to ask (10 us each) than it could ever save.
 */
export async function leaseParcel(pool: Pool, parcelId: number): Promise<LeasedParcel | undefined> {
  // SQL, once for each parcel: the query builder adds 0.1 to 0.4 ms to a statement.
  const { rows } = await pool.query<{
    hashes: Buffer;
    lengths: Buffer;
    token_ids: Buffer;
    lost_leases: number;
    scored: number[];
  }>({
    // Prepared once a connection: its plan took longer than its run.
    name: 'lease-parcel',
    text: `select hashes, lengths, token_ids, lost_leases,
            case when run_id is null then array(${SCORED}) else '{}' end as scored
     from parcels p where id = $1 and state = 'waiting'`,
    values: [parcelId],
  });
  const [row] = rows;
  if (row === undefined) return undefined;
  const lengths = int32Of(row.lengths);
  const all = int32Of(row.token_ids);
  const hashes: Buffer[] = [];
  const tokenIds: Int32Array[] = [];
  let at = 0;
  for (const [i, length] of lengths.entries()) {
    if (!row.scored.includes(i)) {
      hashes.push(row.hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES));
      tokenIds.push(all.subarray(at, at + length));
    }
    at += length;
  }
  if (at !== all.length || row.hashes.length !== lengths.length * HASH_BYTES) {
    throw new Error(
      `parcel ${parcelId} is damaged: ${lengths.length} lengths, ${all.length} token ids, ${row.hashes.length} bytes of hashes`,
    );
  }
  return { id: parcelId, hashes, tokenIds, lostLeases: row.lost_leases };
}

/**
 * A parcel that so many leases were lost over is suspected of ending its workers, and tried with no other beside it. A
 * worker that dies takes the leases of all that it holds along: most of them are innocent.
 */
export const QUARANTINE_AFTER = 2;

/** Counts a lease that ran out: its worker has died, or was cut off. Those of a suspect count by its tries alone. */
export async function countLostLease(pool: Pool, parcelId: number): Promise<void> {
  // SQL, as all statements of a worker for a parcel: the query builder adds 0.1 to 0.4 ms to a statement.
  await pool.query(
    `update parcels set lost_leases = lost_leases + 1 where id = $1 and state = 'waiting' and lost_leases < $2`,
    [parcelId, QUARANTINE_AFTER],
  );
}

/** A parcel, and how many leases were lost over it when it was leased. */
export interface Suspect {
  id: number;
  lostLeases: number;
}

/**
 * A suspect's lease counts as lost before it is tried: a worker that dies over it could not say so any more. What ends
 * in another way than by the worker's death is taken back (`forgiveAttempt`). Both may be repeated.
 */
export async function recordAttempt(pool: Pool, { id, lostLeases }: Suspect): Promise<void> {
  await pool.query(
    `update parcels set lost_leases = $2 + 1 where id = $1 and state = 'waiting' and lost_leases = $2`,
    [id, lostLeases],
  );
}

/** The worker has outlived the try. */
export async function forgiveAttempt(pool: Pool, { id, lostLeases }: Suspect): Promise<void> {
  await pool.query(
    `update parcels set lost_leases = $2 where id = $1 and state = 'waiting' and lost_leases = $2 + 1`,
    [id, lostLeases],
  );
}
