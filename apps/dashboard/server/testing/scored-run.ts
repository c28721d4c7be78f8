import { createHash } from 'node:crypto';
import type { Pool } from '@tocsin/postgres';
import {
  completeParcel,
  createRun,
  finishRun,
  leaveRun,
  type RunOptions,
  registerGuard,
  submitWindow,
} from '@tocsin/store';

/** A row with its score; null for a row that the model could not score, a string for an unreadable row. */
interface FakeRow {
  text: string;
  score: number | null;
  key?: string;
}

export interface FakeRun extends RunOptions {
  fingerprint: string;
  rows: readonly FakeRow[];
  name?: string;
  /** Reasons of unreadable rows; they come after the others. */
  rejects?: readonly string[];
}

/** Creates a finished run with the given scores. */
export async function scoredRun(pool: Pool, run: FakeRun): Promise<number> {
  const { fingerprint, rows, name = 'paper.jsonl', rejects = [], ...options } = run;
  const { id: guardId } = await registerGuard(pool, fingerprint, 'paper');
  const runId = await createRun(pool, guardId, name, { threshold: 0.5, retain: 'all', ...options });
  const fresh = new Map(rows.map((row) => [hashOf(row.text).toString('hex'), row]));
  const { rows: stored } = await pool.query<{ content: Buffer }>(
    'select content from scores where guard_id = $1',
    [guardId],
  );
  for (const { content } of stored) fresh.delete(content.toString('hex'));
  const contents = [...fresh.values()];
  const hashes = contents.map(({ text }) => hashOf(text));
  const parcels = await submitWindow(pool, {
    runId,
    guardId,
    afterRows: 0,
    items: [
      ...rows.map(({ text, key }, i) => ({
        seq: i + 1,
        key: key ?? `row-${i + 1}`,
        content: hashOf(text),
        truncated: false,
        reject: null,
        json: JSON.stringify({ text }),
      })),
      ...rejects.map((reject, i) => ({
        seq: rows.length + i + 1,
        key: `bad-${i + 1}`,
        content: null,
        truncated: false,
        reject,
      })),
    ],
    parcels: contents.length === 0 ? [] : [{ hashes, tokenIds: contents.map(() => Int32Array.of(1, 2, 3)) }],
    stranded: [],
    counts: {
      fresh: contents.length,
      known: 0,
      duplicates: rows.length - contents.length,
      rejected: rejects.length,
    },
  });
  for (const parcel of parcels ?? []) {
    await completeParcel(
      pool,
      parcel,
      contents.map(({ text, score }) => ({
        hash: hashOf(text),
        tokens: 3,
        score,
        error: score === null ? 'the engine died of it' : null,
      })),
    );
  }
  await leaveRun(pool, runId);
  await finishRun(pool, runId);
  return runId;
}

const hashOf = (text: string): Buffer => createHash('sha256').update(text).digest();
