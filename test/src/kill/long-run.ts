import { existsSync } from 'node:fs';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { withScratchLock } from '@tocsin/models';
import { createPool, type Pool, startEmbedded, withRetry } from '@tocsin/postgres';
import { migrateSchema } from '@tocsin/store';
import { expect, inject } from 'vitest';
import { MORE_THAN_A_WORKER_STORES, ParcelGate } from '../setup/parcel-gate.js';
import { childrenOf, until } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import {
  type Ended,
  goldenGuard,
  readScores,
  type ScoreLine,
  TocsinProcess,
  writeJsonl,
} from '../setup/tocsin.js';

/** Some seconds of scoring by one thread, in some dozens of parcels. */
const ROWS = randomRows(3000, 16);
const GUARD = 'qwen3-residual';
/** A run is in the middle when this many parcels are done. */
const PARCELS_DONE = 6;

/** The result of an undisturbed run; made once for all test files. */
export async function undisturbed(): Promise<ScoreLine[]> {
  const kept = join(inject('scratch'), 'undisturbed', 'scores.jsonl');
  await mkdir(join(kept, '..'), { recursive: true });
  await withScratchLock(`${kept}.lock`, async () => {
    if (existsSync(kept)) return;
    const run = await LongRun.prepare();
    expect(await run.start().ended).toMatchObject({ exitCode: 0 });
    await rename(run.out, kept);
  });
  return readScores(kept);
}

export interface Parcel {
  id: number;
  state: string;
  contents: number;
  finished: string | null;
}

/** A corpus that takes some seconds, and a directory to score it in. */
export class LongRun {
  readonly dataDir: string;
  readonly out: string;
  readonly #corpus: string;
  readonly #env: NodeJS.ProcessEnv;

  private constructor(dir: string, corpus: string, env: NodeJS.ProcessEnv) {
    this.dataDir = join(dir, 'postgres');
    this.out = join(dir, 'scores.jsonl');
    this.#corpus = corpus;
    this.#env = env;
  }

  /** @param env names servers to use instead of the embedded one */
  static async prepare(env: NodeJS.ProcessEnv = {}): Promise<LongRun> {
    const dir = scratchDir();
    return new LongRun(dir, await writeJsonl(join(dir, 'corpus.jsonl'), ROWS), env);
  }

  start(): TocsinProcess {
    const args = ['score', this.#corpus, ...goldenGuard(GUARD), '--threads', '1', '-o', this.out, '--json'];
    return new TocsinProcess(args, { env: { TOCSIN_DATA: this.dataDir, ...this.#env } });
  }

  /**
   * Starts it and waits until it is in the middle: some parcels are done, the last ones are being stored. It stays there until
   * `release`.
   * @param held number of parcels that are blocked until then
   */
  async startAndWait(
    held = MORE_THAN_A_WORKER_STORES,
  ): Promise<{ command: TocsinProcess; worker: number; engine: number }> {
    await this.askAfterwards(async (pool) => {
      await migrateSchema(pool);
      await ParcelGate.close(pool, held);
    });
    const command = this.start();
    const early = command.ended.then(({ stderr }) => {
      throw new Error(`the command ended early: ${stderr}`);
    });
    const middle = until(async () => {
      const worker = childrenOf(command.pid).find((child) => child.command.includes(' work '));
      const engine = worker && childrenOf(worker.pid).find((child) => child.command.includes('engine-main'));
      if (worker === undefined || engine === undefined) return undefined;
      const inTheMiddle = async (pool: Pool): Promise<boolean> =>
        (await countDone(pool)) >= PARCELS_DONE && (await ParcelGate.isReached(pool));
      return (await this.ask(inTheMiddle)) ? { command, worker: worker.pid, engine: engine.pid } : undefined;
    });
    const found = await Promise.race([middle, early]);
    early.catch(() => {});
    return found;
  }

  /** Lets the run finish. */
  async release(): Promise<void> {
    await this.ask((pool) => withRetry(() => ParcelGate.open(pool)));
  }

  /** Of the embedded server, while it runs. */
  async postmaster(): Promise<number> {
    const [pid] = (await readFile(join(this.dataDir, 'data', 'postmaster.pid'), 'utf8')).split('\n');
    return Number(pid);
  }

  /** Queries the database while a command keeps it running. */
  async ask<T>(question: (pool: Pool) => Promise<T>): Promise<T> {
    const pool = createPool(this.#env.DATABASE_URL ?? (await this.#embeddedUrl()), {
      applicationName: 'tocsin test',
      max: 1,
    });
    try {
      return await question(pool);
    } finally {
      await pool.end();
    }
  }

  /** Queries the database when no command runs. */
  async askAfterwards<T>(question: (pool: Pool) => Promise<T>): Promise<T> {
    if (this.#env.DATABASE_URL !== undefined) return this.ask(question);
    const server = await startEmbedded({ dataDir: this.dataDir });
    try {
      return await this.ask(question);
    } finally {
      await server.stop();
    }
  }

  /** Invariants of any run: every row has the score of an undisturbed run, once. */
  async expectWhole({ exitCode, stderr }: Ended): Promise<void> {
    expect(exitCode, stderr).toBe(0);
    const expected = await undisturbed();
    const scores = await readScores(this.out);
    expect(scores.map(({ key }) => key)).toEqual(expected.map(({ key }) => key));
    const far = scores.filter(
      ({ score = Number.NaN }, i) => !(Math.abs(score - (expected[i]?.score ?? 0)) <= 1e-6),
    );
    expect(far).toEqual([]);

    const { rows } = await this.askAfterwards((pool) =>
      pool.query(`select count(*) as contents, count(distinct content) as different, count(score) as scores,
                         count(error) as errors from scores`),
    );
    const all = ROWS.length;
    expect(rows).toEqual([{ contents: all, different: all, scores: all, errors: 0 }]);
    // No content is in two parcels.
    const parcels = await this.askAfterwards(parcelsOf);
    expect(parcels.reduce((sum, { contents }) => sum + contents, 0)).toBe(all);
    expect(new Set(parcels.map(({ state }) => state))).toEqual(new Set(['done']));
  }

  /** The embedded server's address, from the files in its directory: connecting does not count as use. */
  async #embeddedUrl(): Promise<string> {
    const own = async (name: string): Promise<string> =>
      (await readFile(join(this.dataDir, name), 'utf8')).trim();
    return `postgres://tocsin:${await own('password')}@127.0.0.1:${await own('port')}/tocsin`;
  }
}

async function countDone(pool: Pool): Promise<number> {
  const { rows } = await pool.query<{ done: number }>(
    `select count(*) as done from parcels where state = 'done'`,
  );
  return rows[0]?.done ?? 0;
}

export async function parcelsOf(pool: Pool): Promise<Parcel[]> {
  const { rows } = await pool.query<Parcel>(
    'select id, state, contents, finished_at::text as finished from parcels order by id',
  );
  return rows;
}
