import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';
import { childrenOf } from '../../setup/processes.js';
import type { FleetCorpus } from '../corpus.js';
import { line, percent, rate, section, table } from '../report.js';
import { FleetWorker } from './fleet-worker.js';
import { COSTS } from './simulated-cost.js';
import { openFleetStage, submitCommand, untilScored } from './stage.js';

export interface CeilingOptions {
  corpus: FleetCorpus;
  guard: string;
  retain: 'none' | 'flagged';
  workers: number;
  /** The reference rate. */
  target?: string;
  /** Node's options for producer and workers, e.g. to profile them. */
  nodeOptions?: readonly string[];
}

/**
 * The pipeline with an engine that answers immediately: from the start of a run to its last score, by Postgres' clock.
 */
export async function benchCeiling(dir: string, options: CeilingOptions): Promise<void> {
  const { corpus, guard, retain, nodeOptions } = options;
  const { rows } = corpus;
  section(
    `Ceiling: ${rows.toLocaleString('en-US')} ${corpus.title}, --retain ${retain}, ${options.workers} worker, null engine`,
  );
  const stage = await openFleetStage(dir);
  const workers: FleetWorker[] = [];
  try {
    const { pool, databaseUrl, backend } = stage;
    const workerSetup = { databaseUrl, backend, guard, cost: COSTS.none.cost };
    for (let i = 0; i < options.workers; i++) workers.push(await FleetWorker.start(workerSetup, nodeOptions));
    const pids = workers.map(({ pid }) => pid);
    const engines = enginesOf(pids);
    for (const worker of workers) worker.go();
    await pool.query('select pg_stat_statements_reset()');
    const walBefore = await walBytes(pool);
    const submit = submitCommand(stage, [corpus.file, '--guard', guard, '--retain', retain], nodeOptions);
    const { pid: producer = 0 } = submit.child;
    const meter = new CpuMeter(pool, () => ({
      producer: [producer],
      worker: pids,
      'engine process (null)': engines,
      Redis: [stage.redis.pid],
    }));
    const runId = await submit.run;
    await untilScored(pool);
    const parts = await meter.stop();
    const wal = (await walBytes(pool)) - walBefore;
    const { submitSeconds, seconds, scored } = await timesOf(pool, runId);
    line('rows scored', scored.toLocaleString('en-US'));
    line('run begun to its last parcel queued', rate(rows / submitSeconds, 'rows'));
    line('run begun to its last score committed', rate(rows / seconds, 'rows'), options.target);
    line('write-ahead log of Postgres', `${(wal / rows).toFixed(0)} bytes a row`);
    printParts(parts, rows);
    await printStatements(pool, rows);
  } finally {
    await Promise.all(workers.map((worker) => worker.stop()));
    await stage.close();
  }
}

async function timesOf(
  pool: Pool,
  runId: number,
): Promise<{ submitSeconds: number; seconds: number; scored: number }> {
  const { rows } = await pool.query<{ submitSeconds: number; seconds: number; scored: number }>(
    `select extract(epoch from max(p.created_at) - r.created_at)::float8 as "submitSeconds",
            extract(epoch from max(p.finished_at) - r.created_at)::float8 as seconds,
            (select count(score) from scores) as scored
     from runs r join parcels p on p.run_id = r.id where r.id = $1 group by r.id`,
    [runId],
  );
  const [times] = rows;
  if (times === undefined) throw new Error('the run has no parcel');
  return times;
}

/** Bytes written to the WAL so far. */
async function walBytes(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ bytes: number }>(
    `select (pg_current_wal_insert_lsn() - '0/0')::float8 as bytes`,
  );
  return rows[0]?.bytes ?? 0;
}

function printParts(parts: ReadonlyMap<string, number>, rows: number): void {
  const total = [...parts.values()].reduce((sum, ms) => sum + ms, 0);
  const sorted = [...parts].sort(([, a], [, b]) => b - a);
  table(
    ['processor time', 'us a row', 'share'],
    [...sorted, ['all', total] as const].map(([part, ms]) => [
      part,
      ((1000 * ms) / rows).toFixed(1),
      percent(ms / total),
    ]),
  );
}

const STATEMENTS_SHOWN = 8;

async function printStatements(pool: Pool, rows: number): Promise<void> {
  const { rows: statements } = await pool.query<{ query: string; calls: number; ms: number }>(
    `select left(regexp_replace(query, '\\s+', ' ', 'g'), 70) as query, calls, total_exec_time as ms
     from pg_stat_statements order by total_exec_time desc limit $1`,
    [STATEMENTS_SHOWN],
  );
  table(
    ['statement', 'us a row', 'calls'],
    statements.map(({ query, calls, ms }) => [query, ((1000 * ms) / rows).toFixed(1), String(calls)]),
  );
}

const EVERY_MS = 250;
/** Clock ticks per second in /proc: 100 on every Linux that Node supports. */
const TICK_MS = 10;

/** Measured processes, by their part of the pipeline. */
type MeteredProcesses = Record<string, readonly number[]>;

/** CPU time by part of the pipeline, from /proc: unlike throughput, it hardly depends on other load. */
class CpuMeter {
  readonly #pool: Pool;
  readonly #processes: () => MeteredProcesses;
  /** Of each process: its part, and milliseconds at the first and the last sample. */
  readonly #seen = new Map<number, { part: string; first: number; last: number }>();
  #running = true;
  readonly #looking: Promise<void>;

  /** @param processes called for each sample: workers and their engines start during the measurement */
  constructor(pool: Pool, processes: () => MeteredProcesses) {
    this.#pool = pool;
    this.#processes = processes;
    this.#looking = this.#look();
  }

  /** Ends the measurement. @returns milliseconds of CPU time by part */
  async stop(): Promise<Map<string, number>> {
    this.#running = false;
    await this.#looking;
    await this.#sample();
    const parts = new Map<string, number>();
    for (const { part, first, last } of this.#seen.values())
      parts.set(part, (parts.get(part) ?? 0) + last - first);
    return parts;
  }

  async #look(): Promise<void> {
    while (this.#running) {
      await this.#sample();
      await sleep(EVERY_MS);
    }
  }

  async #sample(): Promise<void> {
    for (const [part, pids] of Object.entries(this.#processes()))
      for (const pid of pids) this.#see(pid, part);
    const { rows } = await this.#pool.query<{ pid: number; part: string }>(
      `select pid, case when application_name = '' then 'background' else application_name end as part
       from pg_stat_activity
       -- One that is still connecting has no name yet.
       where backend_type <> 'client backend' or application_name not in ('', 'tocsin bench')`,
    );
    for (const { pid, part } of rows) this.#see(pid, `Postgres: ${part}`);
  }

  #see(pid: number, part: string): void {
    const ms = processorMs(pid);
    if (ms === undefined) return;
    const seen = this.#seen.get(pid);
    if (seen === undefined) this.#seen.set(pid, { part, first: ms, last: ms });
    else seen.last = ms;
  }
}

/** The engine processes of workers. */
const enginesOf = (workers: readonly number[]): number[] =>
  workers.flatMap((pid) => childrenOf(pid).map((child) => child.pid));

/** User and system time of a process and its threads; undefined when it has ended. */
function processorMs(pid: number): number | undefined {
  try {
    // pid (name) state ppid ...; utime and stime are the 14th and 15th field.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return TICK_MS * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return undefined;
  }
}
