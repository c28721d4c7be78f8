import { createHash } from 'node:crypto';
import {
  completeParcel,
  countLostLease,
  createRun,
  exportRows,
  leaseParcel,
  registerGuard,
  submitWindow,
  waitingParcels,
} from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isQuarantined, scoreQuarantined, type Verdict } from './quarantine.js';

const KILLER = 5;
const TOKENS = [1, 2, 3, 4, KILLER, 6, 7];

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

/** A parcel with one token per content that has exceeded the limit of worker deaths. */
async function suspectParcel(name: string): Promise<{ guardId: number; runId: number; id: number }> {
  const { pool } = database;
  const { id: guardId } = await registerGuard(pool, name, 'test');
  const runId = await createRun(pool, guardId, 'test');
  const items = TOKENS.map((token, i) => {
    const content = createHash('sha256').update(`${name} ${token}`).digest();
    return { seq: i + 1, key: String(token), content, truncated: false, reject: null };
  });
  const parcel = {
    hashes: items.map(({ content }) => content),
    tokenIds: TOKENS.map((token) => Int32Array.of(token)),
  };
  const counts = { fresh: TOKENS.length, known: 0, duplicates: 0, rejected: 0 };
  const [id = 0] =
    (await submitWindow(pool, {
      runId,
      guardId,
      afterRows: 0,
      items,
      parcels: [parcel],
      stranded: [],
      counts,
    })) ?? [];
  for (let i = 0; i < 2; i++) await countLostLease(pool, id);
  return { guardId, runId, id };
}

/** A worker that dies from the poison content. @returns the outcome */
async function work(parcelId: number): Promise<Verdict | 'died' | undefined> {
  const { pool } = database;
  const parcel = await leaseParcel(pool, parcelId);
  if (parcel === undefined || !isQuarantined(parcel)) throw new Error('no suspect');
  let verdict: Verdict | undefined;
  let die = (): void => {};
  const died = new Promise<'died'>((resolve) => {
    die = () => resolve('died');
  });
  const scored = scoreQuarantined(parcel, {
    pool,
    score: async ({ tokenIds }) => {
      if (tokenIds.some(([token]) => token === KILLER)) {
        die();
        return new Promise(() => {});
      }
      return tokenIds.map(([token = 0]) => ({ score: token / 64 }));
    },
    onVerdict: (_, given) => {
      verdict = given;
    },
    signal: new AbortController().signal,
  });
  const outcomes = await Promise.race([scored, died]);
  if (outcomes === 'died') return outcomes;
  if (outcomes !== undefined) {
    const stored = parcel.hashes.map((hash, i) => ({
      hash,
      tokens: parcel.tokenIds[i]?.length ?? 0,
      score: outcomes[i]?.score ?? null,
      error: outcomes[i]?.error ?? null,
    }));
    await completeParcel(pool, parcelId, stored);
  }
  return verdict;
}

test('the one content that workers die over is found by halves, and every other has its score', async () => {
  const { pool } = database;
  const { guardId, runId } = await suspectParcel('killer');
  const seen: (Verdict | 'died' | undefined)[] = [];
  for (;;) {
    const [id] = await waitingParcels(pool, guardId, 1);
    if (id === undefined) break;
    seen.push(await work(id));
  }
  // 7 -> 4 and 3; 3 -> 2 (4 is done by then) and 1; 2 -> 1 and 1.
  expect(seen.filter((verdict) => verdict === 'split')).toHaveLength(3);
  expect(seen.filter((verdict) => verdict === 'died')).toHaveLength(3 + 3);
  expect(seen.filter((verdict) => verdict === 'failed')).toHaveLength(1);
  for await (const page of exportRows(pool, runId)) {
    for (const { key, score, error } of page) {
      if (Number(key) === KILLER)
        expect(error).toBe('the worker process died 3 times while it scored this row alone');
      else expect({ score, error }).toEqual({ score: Number(key) / 64, error: null });
    }
  }
});

test('a worker that gives a suspect back, or fails for another reason, has not died over it', async () => {
  const { pool } = database;
  const { id } = await suspectParcel('given back');
  const parcel = await leaseParcel(pool, id);
  if (parcel === undefined) throw new Error('no parcel');
  let counted: number | undefined;
  const score = async (): Promise<never> => {
    counted = (await leaseParcel(pool, id))?.lostLeases;
    throw new Error('stopped');
  };
  const { signal } = new AbortController();
  await expect(scoreQuarantined(parcel, { pool, score, signal })).rejects.toThrow('stopped');
  expect(counted).toBe(parcel.lostLeases + 1);
  expect((await leaseParcel(pool, id))?.lostLeases).toBe(parcel.lostLeases);
});
