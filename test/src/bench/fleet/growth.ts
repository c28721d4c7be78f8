import { setTimeout as sleep } from 'node:timers/promises';
import type { CostModel } from '@tocsin/engine';
import type { Pool } from '@tocsin/postgres';
import type { FleetCorpus } from '../corpus.js';
import { percent, section, table } from '../report.js';
import { FleetWorker } from './fleet-worker.js';
import { type FleetStage, openFleetStage, parcelsWait, submitCommand } from './stage.js';

/** Milliseconds after the start of the last worker, until it holds its parcels. */
const SETTLE_MS = 4_000;

export interface GrowthOptions {
  corpus: FleetCorpus;
  guard: string;
  /** Description. */
  device: string;
  cost: CostModel;
  /** Ascending numbers of workers. */
  counts: readonly number[];
  windowMs: number;
}

interface Growth {
  workers: number;
  rowsPerSecond: number;
  tokensPerSecond: number;
}

/** Connections of the workers. */
interface Connections {
  postgres: number;
  redis: number;
}

/**
 * Throughput by number of workers: all rows are queued, then workers are added, and commits are counted while all of
 * them are busy.
 */
export async function benchGrowth(dir: string, options: GrowthOptions): Promise<void> {
  const { corpus, guard, device, cost, counts, windowMs } = options;
  section(`Growth: ${corpus.title}; a device is ${device}`);
  console.log(
    `  a pass takes ${cost.overheadMs} ms + ${cost.tokenMs} ms a token + ${cost.cellMs} ms a cell of the attention, ${cost.budgetTokens} tokens at most`,
  );
  const stage = await openFleetStage(dir);
  const workers: FleetWorker[] = [];
  const grown: (Growth & Connections)[] = [];
  try {
    const { pool, databaseUrl, backend } = stage;
    await submitCommand(stage, [corpus.file, '--guard', guard]).run;
    // All are started before the first measurement, because starting a process takes seconds of CPU time.
    for (let i = 0; i < Math.max(...counts); i++)
      workers.push(await FleetWorker.start({ databaseUrl, backend, guard, cost }));
    let going = 0;
    for (const count of counts) {
      for (const worker of workers.slice(going, count)) worker.go();
      going = count;
      await sleep(SETTLE_MS);
      const committed = await committedOver(pool, windowMs);
      grown.push({ workers: count, ...committed, ...(await connectionsOf(stage)) });
      if (!(await parcelsWait(pool)))
        throw new Error(`${corpus.rows} rows were too few for ${count} workers`);
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await stage.close();
  }
  print(grown);
}

/** Commits during this many milliseconds. */
async function committedOver(pool: Pool, windowMs: number): Promise<Omit<Growth, 'workers'>> {
  const from = await databaseTime(pool);
  await sleep(windowMs);
  const to = await databaseTime(pool);
  // A parcel's time is that of its transaction, so a commit after `to` may belong to the interval.
  await sleep(1_000);
  const { rows } = await pool.query<{ contents: number; tokens: number; seconds: number }>(
    `select coalesce(sum(contents), 0)::float8 as contents, coalesce(sum(tokens), 0)::float8 as tokens,
            extract(epoch from $2::timestamptz - $1::timestamptz)::float8 as seconds
     from parcels where finished_at >= $1 and finished_at < $2`,
    [from, to],
  );
  const [done] = rows;
  if (done === undefined) throw new Error('an aggregate returned no row');
  return { rowsPerSecond: done.contents / done.seconds, tokensPerSecond: done.tokens / done.seconds };
}

/** The benchmark itself has one connection to Redis. */
async function connectionsOf({ pool, redis }: FleetStage): Promise<Connections> {
  const { rows } = await pool.query<{ count: number }>(
    `select count(*) as count from pg_stat_activity where application_name = 'tocsin worker'`,
  );
  const client = redis.client();
  const clients = String(await client.client('LIST'));
  client.disconnect();
  return { postgres: rows[0]?.count ?? 0, redis: clients.trim().split('\n').length - 1 };
}

async function databaseTime(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ now: string }>('select clock_timestamp()::text as now');
  return rows[0]?.now ?? '';
}

/** Shares of tokens, because parcels differ in rows but hardly in tokens. */
function print(grown: readonly (Growth & Connections)[]): void {
  const [first] = grown;
  if (first === undefined) return;
  const alone = first.tokensPerSecond / first.workers;
  table(
    ['workers', 'rows/s', 'tokens/s', 'times', 'share of linear', 'connections: Postgres', 'Redis'],
    grown.map(({ workers, rowsPerSecond, tokensPerSecond, postgres, redis }) => [
      String(workers),
      whole(rowsPerSecond),
      whole(tokensPerSecond),
      (tokensPerSecond / alone).toFixed(2),
      percent(tokensPerSecond / alone / workers),
      String(postgres),
      String(redis),
    ]),
  );
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
