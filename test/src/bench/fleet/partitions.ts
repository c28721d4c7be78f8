import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Pool } from '@tocsin/postgres';
import {
  completeParcel,
  createRun,
  knownContents,
  leaseParcel,
  type NewParcel,
  purgeRuns,
  registerGuard,
  setRunState,
  submitWindow,
} from '@tocsin/store';
import { section, table, times } from '../report.js';
import { openFleetStage } from './stage.js';

const WINDOWS = 30;
const WINDOW_ROWS = 4096;
const PARCEL_ROWS = 128;
const TOKENS = 16;

/** Microseconds per row of each statement, in order. */
type Costs = Record<
  'look up new contents' | 'store a window' | 'complete parcels' | 'look up known contents' | 'purge a run',
  number
>;

/** The cost of the partitions in docs/scaling.md, while the tables fit into memory. */
export async function benchPartitions(dir: string): Promise<void> {
  const rows = WINDOWS * WINDOW_ROWS;
  section(`Partitions: ${rows.toLocaleString('en-US')} rows of ${TOKENS} tokens, one connection`);
  const plain = await costsOf(dir, []);
  const partitioned = await costsOf(dir, PARTITIONS);
  table(
    ['us a row', 'as they are', 'partitioned', 'times'],
    (Object.keys(plain) as (keyof Costs)[]).map((what) => [
      what,
      plain[what].toFixed(1),
      partitioned[what].toFixed(1),
      times(partitioned[what] / plain[what], 2),
    ]),
  );
}

async function costsOf(dir: string, headings: readonly string[]): Promise<Costs> {
  const stage = await openFleetStage(dir);
  try {
    for (const heading of headings) await stage.pool.query(await statementsOf(heading));
    return await costsOn(stage.pool);
  } finally {
    await stage.close();
  }
}

async function costsOn(pool: Pool): Promise<Costs> {
  const { id: guardId } = await registerGuard(pool, 'f'.repeat(64), 'bench');
  const runId = await createRun(pool, guardId, 'bench');
  const windows = Array.from({ length: WINDOWS }, (_, i) => hashesOf(i));
  const parcelIds: number[] = [];
  const lookUpNew = await perRow(windows, (hashes) => knownContents(pool, guardId, hashes));
  const store = await perRow(windows, async (hashes, i) => {
    const ids = await submitWindow(pool, {
      runId,
      guardId,
      afterRows: i * WINDOW_ROWS,
      items: hashes.map((content, at) => {
        const seq = i * WINDOW_ROWS + at + 1;
        return { seq, key: `row-${seq}`, content, truncated: false, reject: null };
      }),
      parcels: parcelsOf(hashes),
      stranded: [],
      counts: { fresh: hashes.length, known: 0, duplicates: 0, rejected: 0 },
    });
    parcelIds.push(...(ids ?? []));
  });
  const complete = await perRow(windows, async (_, i) => {
    const each = WINDOW_ROWS / PARCEL_ROWS;
    for (const id of parcelIds.slice(i * each, (i + 1) * each)) await completeAs(pool, id);
  });
  const lookUpKnown = await perRow(windows, (hashes) => knownContents(pool, guardId, hashes));
  await setRunState(pool, runId, 'done');
  const purge = await perRow(windows, (_, i) => (i === 0 ? purgeRuns(pool, [runId]) : Promise.resolve(0)));
  return {
    'look up new contents': lookUpNew,
    'store a window': store,
    'complete parcels': complete,
    'look up known contents': lookUpKnown,
    'purge a run': purge,
  };
}

async function perRow(
  windows: readonly Buffer[][],
  work: (hashes: Buffer[], i: number) => Promise<unknown>,
): Promise<number> {
  const started = performance.now();
  for (const [i, hashes] of windows.entries()) await work(hashes, i);
  return (1000 * (performance.now() - started)) / (windows.length * WINDOW_ROWS);
}

async function completeAs(pool: Pool, parcelId: number): Promise<void> {
  const parcel = await leaseParcel(pool, parcelId);
  if (parcel === undefined) throw new Error(`parcel ${parcelId} does not wait`);
  const outcomes = parcel.hashes.map((hash) => ({ hash, tokens: TOKENS, score: 0.5, error: null }));
  await completeParcel(pool, parcelId, outcomes);
}

function hashesOf(window: number): Buffer[] {
  return Array.from({ length: WINDOW_ROWS }, (_, i) =>
    createHash('sha256').update(`${window} ${i}`).digest(),
  );
}

function parcelsOf(hashes: readonly Buffer[]): NewParcel[] {
  return Array.from({ length: hashes.length / PARCEL_ROWS }, (_, i) => {
    const own = hashes.slice(i * PARCEL_ROWS, (i + 1) * PARCEL_ROWS);
    return { hashes: own, tokenIds: own.map((hash) => Int32Array.from(hash.subarray(0, TOKENS))) };
  });
}

const DOCUMENT = fileURLToPath(new URL('../../../../docs/scaling.md', import.meta.url));

/** The headings of docs/scaling.md that describe partitioning. */
export const PARTITIONS = ['Scores: by content', 'Rows and texts: by run'] as const;

/** The SQL below a heading of docs/scaling.md. */
export async function statementsOf(heading: string): Promise<string> {
  const sections = (await readFile(DOCUMENT, 'utf8')).split(/^### /m);
  const section = sections.find((each) => each.startsWith(`${heading}\n`)) ?? '';
  const [, sql] = /^```sql\n(.*?)^```/ms.exec(section) ?? [];
  if (sql === undefined) throw new Error(`docs/scaling.md has no SQL under "${heading}"`);
  return sql;
}
