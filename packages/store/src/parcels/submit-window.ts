import { type RunState, UserError } from '@tocsin/core';
import {
  boolArray,
  byteaArray,
  inTransaction,
  int4Array,
  int8Array,
  type Pool,
  textArray,
} from '@tocsin/postgres';
import type pg from 'pg';
import { byHash, bytesOf, lengthsOf } from '../scores/contents.js';

/** A row of the corpus, as it is stored. */
export interface WindowItem {
  /** From 1, without gaps. */
  seq: number;
  key: string;
  /** 32 bytes; null for a reject. */
  content: Buffer | null;
  truncated: boolean;
  reject: string | null;
  /** The item as JSON if it is stored, of any length. */
  json?: string;
}

/** Contents to be scored together. */
export interface NewParcel {
  /** 32 bytes each. */
  hashes: Buffer[];
  /** Token ids of each, in the order of `hashes`. */
  tokenIds: Int32Array[];
}

/** A part of a corpus: rows stored in one transaction. */
export interface Window {
  runId: number;
  guardId: number;
  /** Rows already stored: the window starts after them. */
  afterRows: number;
  items: WindowItem[];
  parcels: NewParcel[];
  /** Cancelled parcels with contents that the window needs: this run claims them. */
  stranded: number[];
  counts: { fresh: number; known: number; duplicates: number; rejected: number };
}

/**
 * Stores a window: items, claims and parcels in one transaction. Idempotent: a stored window is not stored again.
 * @throws UserError when the run was cancelled meanwhile
 * @returns the parcels to be enqueued; undefined when the window was already stored (the reconciler enqueues its parcels)
 */
export function submitWindow(pool: Pool, window: Window): Promise<number[] | undefined> {
  return inTransaction(pool, async (client) => {
    if (!(await moveRunOn(client, window))) return undefined;
    const ids = await insertParcels(client, window);
    await claimContents(client, window, ids);
    await insertItems(client, window);
    await insertTexts(client, window);
    return [...ids, ...(await takeUpStranded(client, window))];
  });
}

/** The run's row count shows which windows are stored; this update guards against storing one twice. */
async function moveRunOn(client: pg.PoolClient, window: Window): Promise<boolean> {
  const { runId, afterRows, items, counts } = window;
  const { rowCount } = await client.query(
    `update runs
     set rows = rows + $3, fresh = fresh + $4, known = known + $5,
         duplicates = duplicates + $6, rejected = rejected + $7, truncated = truncated + $8
     where id = $1 and rows = $2 and state = 'submitting'`,
    [
      runId,
      afterRows,
      items.length,
      counts.fresh,
      counts.known,
      counts.duplicates,
      counts.rejected,
      items.filter(({ truncated }) => truncated).length,
    ],
  );
  if (rowCount === 1) return true;
  const { rows } = await client.query<EndedRun>('select state, reason from runs where id = $1', [runId]);
  if (rows[0]?.state !== 'submitting') throw runHasEnded(runId, rows[0]);
  return false;
}

/** How a run ended. */
export interface EndedRun {
  state: RunState;
  reason: string | null;
}

/** The error for a process that works for an ended run. @param run undefined when it was deleted */
export function runHasEnded(runId: number, run: EndedRun | undefined): UserError {
  const how = run === undefined ? 'was deleted' : run.state === 'failed' ? 'has failed' : 'was cancelled';
  return new UserError(`run ${runId} ${how}${run?.reason ? `: ${run.reason}` : ''}`, {
    hint: 'The scores so far are kept. Run the same command again to score the rest.',
  });
}

async function insertParcels(client: pg.PoolClient, window: Window): Promise<number[]> {
  const { parcels } = window;
  if (parcels.length === 0) return [];
  const { rows } = await client.query<{ id: number }>(
    `select nextval('parcels_id_seq') as id from generate_series(1, $1)`,
    [parcels.length],
  );
  const ids = rows.map((row) => row.id);
  await client.query(
    `insert into parcels (id, run_id, guard_id, contents, tokens, hashes, lengths, token_ids)
     select id, $1, $2, contents, tokens, hashes, lengths, token_ids
     from unnest($3::bigint[], $4::int[], $5::int[], $6::bytea[], $7::bytea[], $8::bytea[])
          as parcel (id, contents, tokens, hashes, lengths, token_ids)`,
    [
      window.runId,
      window.guardId,
      int8Array(ids),
      int4Array(parcels.map((parcel) => parcel.hashes.length)),
      int4Array(parcels.map(tokensOf)),
      byteaArray(parcels.map((parcel) => Buffer.concat(parcel.hashes))),
      byteaArray(parcels.map((parcel) => lengthsOf(parcel.tokenIds))),
      byteaArray(parcels.map((parcel) => bytesOf(parcel.tokenIds))),
    ],
  );
  return ids;
}

/**
 * Another producer may have claimed a content since the look-up: then both parcels contain it, with the same score. In
 * hash order, so that concurrent producers cannot deadlock.
 */
async function claimContents(client: pg.PoolClient, window: Window, parcelIds: number[]): Promise<void> {
  const claims = byHash(
    window.parcels.flatMap(({ hashes, tokenIds }, i) =>
      hashes.map((hash, j) => ({ hash, parcelId: parcelIds[i] ?? 0, tokens: tokenIds[j]?.length ?? 0 })),
    ),
  );
  if (claims.length === 0) return;
  await client.query(
    `insert into scores (guard_id, content, parcel_id, tokens)
     select $1, content, parcel_id, tokens
     from unnest($2::bytea[], $3::bigint[], $4::int[]) as claim (content, parcel_id, tokens)
     on conflict (guard_id, content) do update
     set parcel_id = excluded.parcel_id, error = null
     where scores.error is not null`,
    [
      window.guardId,
      byteaArray(claims.map((claim) => claim.hash)),
      int8Array(claims.map((claim) => claim.parcelId)),
      int4Array(claims.map((claim) => claim.tokens)),
    ],
  );
}

async function insertItems(client: pg.PoolClient, window: Window): Promise<void> {
  const { items } = window;
  await client.query(
    `insert into items (run_id, seq, key, content, truncated, reject)
     select $1, seq, key, content, truncated, reject
     from unnest($2::bigint[], $3::text[], $4::bytea[], $5::boolean[], $6::text[])
          as item (seq, key, content, truncated, reject)`,
    [
      window.runId,
      int8Array(items.map((item) => item.seq)),
      textArray(items.map((item) => item.key)),
      byteaArray(items.map((item) => item.content)),
      boolArray(items.map((item) => item.truncated)),
      textArray(items.map((item) => item.reject)),
    ],
  );
}

async function insertTexts(client: pg.PoolClient, { runId, items }: Window): Promise<void> {
  const kept = items.flatMap(({ seq, json }) => (json === undefined ? [] : [{ seq, json }]));
  if (kept.length === 0) return;
  await client.query(
    `insert into item_texts (run_id, seq, json)
     select $1, seq, json from unnest($2::bigint[], $3::text[]) as kept (seq, json)`,
    [runId, int8Array(kept.map(({ seq }) => seq)), textArray(kept.map(({ json }) => json))],
  );
}

async function takeUpStranded(client: pg.PoolClient, window: Window): Promise<number[]> {
  if (window.stranded.length === 0) return [];
  const { rows } = await client.query<{ id: number }>(
    `update parcels set state = 'waiting', run_id = $1
     where id = any($2::bigint[]) and state = 'cancelled' returning id`,
    [window.runId, window.stranded],
  );
  return rows.map((row) => row.id);
}

const tokensOf = (parcel: NewParcel): number => parcel.tokenIds.reduce((sum, ids) => sum + ids.length, 0);
