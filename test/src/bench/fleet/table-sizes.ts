import type { Pool } from '@tocsin/postgres';
import { section, table } from '../report.js';
import { fleetCorpus } from './corpora.js';
import { FleetWorker } from './fleet-worker.js';
import { COSTS } from './simulated-cost.js';
import { openFleetStage } from './stage.js';
import { submitCommand } from './submit-command.js';
import { untilScored } from './until-scored.js';

const ROWS = { short: 100_000, mixed: 40_000 } as const;
const TABLES = ['items', 'item_texts', 'scores', 'parcels'] as const;

/** Bytes of one table: its rows with what is stored out of line, and its indexes. */
interface Size {
  rows: number;
  indexes: number;
}

/** What a row of a corpus takes in Postgres: while it waits, and when it is scored and its text is kept. */
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
