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

/** The indices of an express parcel's contents that already have a score, from a run or another request. */
const SCORED = `select n from generate_series(0, contents - 1) n
  where (select s.score is not null from scores s
         where s.guard_id = p.guard_id and s.content = substring(p.hashes from ${HASH_BYTES} * n + 1 for ${HASH_BYTES}))`;

/**
 * Reads a parcel if it is pending. The lease itself is in the queue: a parcel taken by two workers is scored twice and
 * stored once. Contents of an express parcel that have a score are skipped; for a run's parcel, whose contents were new
 * when it was made, the check would cost more (10 us each) than it saves.
 */
export async function leaseParcel(pool: Pool, parcelId: number): Promise<LeasedParcel | undefined> {
  // SQL, run once per parcel: the query builder adds 0.1 to 0.4 ms per statement.
  const { rows } = await pool.query<{
    hashes: Buffer;
    lengths: Buffer;
    token_ids: Buffer;
    lost_leases: number;
    scored: number[];
  }>({
    // Prepared once per connection: planning took longer than running it.
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
 * Lost leases after which a parcel is quarantined and scored alone. A dying worker loses the leases of all its parcels,
 * most of which are harmless.
 */
export const QUARANTINE_AFTER = 2;

/**
 * Counts an expired lease: its worker died or was disconnected. Quarantined parcels are counted by their attempts
 * instead.
 */
export async function countLostLease(pool: Pool, parcelId: number): Promise<void> {
  // SQL, like all statements of a worker per parcel: the query builder adds 0.1 to 0.4 ms per statement.
  await pool.query(
    `update parcels set lost_leases = lost_leases + 1 where id = $1 and state = 'waiting' and lost_leases < $2`,
    [parcelId, QUARANTINE_AFTER],
  );
}

/** A parcel, and its lost leases when it was leased. */
export interface Suspect {
  id: number;
  lostLeases: number;
}

/**
 * Counts an attempt at a quarantined parcel as a lost lease before it starts, because a dying worker cannot report it.
 * `forgiveAttempt` undoes it after any other outcome. Both are idempotent.
 */
export async function recordAttempt(pool: Pool, { id, lostLeases }: Suspect): Promise<void> {
  await pool.query(
    `update parcels set lost_leases = $2 + 1 where id = $1 and state = 'waiting' and lost_leases = $2`,
    [id, lostLeases],
  );
}

/** The worker survived the attempt. */
export async function forgiveAttempt(pool: Pool, { id, lostLeases }: Suspect): Promise<void> {
  await pool.query(
    `update parcels set lost_leases = $2 where id = $1 and state = 'waiting' and lost_leases = $2 + 1`,
    [id, lostLeases],
  );
}
