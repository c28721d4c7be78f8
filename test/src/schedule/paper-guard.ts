import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { Pool } from '@tocsin/postgres';
import type { SubmitScheduled } from '@tocsin/scheduler';
import {
  completeParcel,
  createRun,
  finishRun,
  hasUnresolvedItems,
  knownContents,
  leaseParcel,
  leaveRun,
  registerGuard,
  settledRuns,
  submitWindow,
  waitingParcels,
} from '@tocsin/store';

/** A row that contains its score. */
export type FakeRow = [word: string, score: number];

const FINGERPRINT = 'a'.repeat(64);
const THOUSAND = 1000;

/** A guard that gives each row the score written in it, through the real store. */
export class FakeGuard {
  /** The current content of the corpus. */
  rows: FakeRow[] = [];
  /** The number of submissions. */
  submissions = 0;
  /** Aborts to release submissions that wait for it. */
  gate: AbortController | undefined;
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  readonly submit: SubmitScheduled = async (_request, { onRun, signal }) => {
    const pool = this.#pool;
    this.submissions++;
    const { id: guardId } = await registerGuard(pool, FINGERPRINT, 'paper');
    const runId = await createRun(pool, guardId, 'paper.jsonl', { threshold: 0.5 });
    await onRun(runId);
    if (this.gate !== undefined && !this.gate.signal.aborted) {
      signal.throwIfAborted();
      await once(AbortSignal.any([signal, this.gate.signal]), 'abort');
      signal.throwIfAborted();
    }
    const fresh = new Map<string, FakeRow>();
    const counts = { fresh: 0, known: 0, duplicates: 0, rejected: 0 };
    const stored = await knownContents(
      pool,
      guardId,
      [...new Set(this.rows.map(([word]) => word))].map(hashOf),
    );
    const known = new Set(stored.map(({ hash }) => hash.toString('hex')));
    for (const row of this.rows) {
      const [word] = row;
      if (fresh.has(word)) counts.duplicates++;
      else if (known.has(hashOf(word).toString('hex'))) counts.known++;
      else {
        counts.fresh++;
        fresh.set(word, row);
      }
    }
    await submitWindow(pool, {
      runId,
      guardId,
      afterRows: 0,
      items: this.rows.map(([word], i) => ({
        seq: i + 1,
        key: `row-${i + 1}`,
        content: hashOf(word),
        truncated: false,
        reject: null,
      })),
      parcels: fresh.size === 0 ? [] : [parcelOf([...fresh.values()])],
      stranded: [],
      counts,
    });
    await leaveRun(pool, runId);
  };

  /** Acts as a worker: scores pending contents, and ends unattended runs. */
  async work(): Promise<void> {
    const pool = this.#pool;
    const { id: guardId } = await registerGuard(pool, FINGERPRINT, 'paper');
    for (const parcelId of await waitingParcels(pool, guardId, THOUSAND)) {
      const parcel = await leaseParcel(pool, parcelId);
      if (parcel === undefined) continue;
      const outcomes = parcel.hashes.map((hash, i) => ({
        hash,
        tokens: parcel.tokenIds[i]?.length ?? 0,
        score: (parcel.tokenIds[i]?.[0] ?? 0) / THOUSAND,
        error: null,
      }));
      await completeParcel(pool, parcelId, outcomes);
    }
    for (const runId of await settledRuns(pool, guardId)) {
      if (!(await hasUnresolvedItems(pool, runId))) await finishRun(pool, runId);
    }
  }
}

function parcelOf(rows: FakeRow[]): { hashes: Buffer[]; tokenIds: Int32Array[] } {
  return {
    hashes: rows.map(([word]) => hashOf(word)),
    tokenIds: rows.map(([, score]) => Int32Array.of(Math.round(score * THOUSAND))),
  };
}

function hashOf(word: string): Buffer {
  return createHash('sha256').update(word).digest();
}
