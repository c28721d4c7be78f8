import type { Pool } from '@tocsin/postgres';
import type { Redis } from 'ioredis';
import { type CorpusKind, fleetCorpus } from '../corpus.js';
import { section, table } from '../report.js';
import { FleetWorker } from './fleet-worker.js';
import { COSTS } from './simulated-cost.js';
import { openFleetStage, submitCommand, untilScored } from './stage.js';

const ROWS = { short: 100_000, mixed: 40_000 } as const;
const TABLES = ['items', 'item_texts', 'scores', 'parcels'] as const;

/** Bytes of one table with TOAST, and of its indexes. */
interface Size {
  rows: number;
  indexes: number;
}

/** Space per row in Postgres: while it is pending, and when it is scored and its text kept. */
export async function benchTableSizes(dir: string, guard: string): Promise<void> {
  for (const kind of ['short', 'mixed'] as const) {
    const corpus = await fleetCorpus(dir, kind, ROWS[kind]);
    section(
      `Table sizes: bytes a row (rows + indexes), ${corpus.rows.toLocaleString('en-US')} ${corpus.title}`,
    );
    const stage = await openFleetStage(dir);
    try {
      const { pool, databaseUrl, backend } = stage;
      await submitCommand(stage, [corpus.file, '--guard', guard, '--retain', 'all']).run;
      const waiting = await sizes(pool);
      const worker = await FleetWorker.start({ databaseUrl, backend, guard, cost: COSTS.none.cost });
      worker.go();
      await untilScored(pool);
      await worker.stop();
      const scored = await sizes(pool);
      await pool.query('vacuum full');
      const packed = await sizes(pool);
      table(
        ['table', 'waiting', 'scored', 'scored, after vacuum full'],
        TABLES.map((name) => [
          name,
          ...[waiting, scored, packed].map((state) => perRow(state.get(name), corpus.rows)),
        ]),
      );
    } finally {
      await stage.close();
    }
  }
}

async function sizes(pool: Pool): Promise<Map<string, Size>> {
  const { rows } = await pool.query<Size & { name: string }>(
    `select relname as name, pg_table_size(oid)::float8 as rows, pg_indexes_size(oid)::float8 as indexes
     from pg_class where relname = any($1::text[]) and relkind = 'r'`,
    [TABLES],
  );
  return new Map(rows.map((row) => [row.name, row]));
}

function perRow(size: Size | undefined, rows: number): string {
  if (size === undefined) throw new Error('a table is missing');
  return `${(size.rows / rows).toFixed(1)} + ${(size.indexes / rows).toFixed(1)}`;
}

const QUEUED_ROWS: Record<CorpusKind, number> = { short: 100_000, mixed: 20_000, longest: 4_000 };

/** Redis memory for pending rows: a whole corpus is queued, and no worker runs. */
export async function benchQueueMemory(dir: string, guard: string): Promise<void> {
  section('Queue memory: Redis, all parcels of a corpus queued (target <= 100 bytes a row)');
  const measured: string[][] = [];
  for (const kind of Object.keys(QUEUED_ROWS) as CorpusKind[]) {
    const corpus = await fleetCorpus(dir, kind, QUEUED_ROWS[kind]);
    const stage = await openFleetStage(dir);
    const redis = stage.redis.client();
    try {
      const before = await usedMemory(redis);
      await submitCommand(stage, [corpus.file, '--guard', guard, '--retain', 'none']).run;
      const used = (await usedMemory(redis)) - before;
      const { rows } = await stage.pool.query<{ parcels: number }>('select count(*) as parcels from parcels');
      const parcels = rows[0]?.parcels ?? 0;
      measured.push([
        corpus.title,
        String(corpus.rows),
        String(parcels),
        (used / parcels).toFixed(0),
        (used / corpus.rows).toFixed(1),
      ]);
    } finally {
      redis.disconnect();
      await stage.close();
    }
  }
  table(['', 'rows', 'parcels', 'bytes a parcel', 'bytes a row'], measured);
}

async function usedMemory(redis: Redis): Promise<number> {
  const [, used] = /^used_memory:(\d+)/m.exec(await redis.info('memory')) ?? [];
  if (used === undefined) throw new Error('INFO does not say used_memory');
  return Number(used);
}
