import { isUserError, type LaneName, messageOf, UserError } from '@tocsin/core';
import { RecalledError } from '../process/engine-process.js';
import type { CostModel } from './cost-model.js';
import { type Flight, Flights } from './flights.js';
import { type Batch, Lane, type Row, type RowOutcome } from './lane.js';
import { OutOfMemoryError } from './out-of-memory.js';
import type { BatchResult, RunBatch } from './run-batch.js';

/** Forward passes so far, for summaries and benchmarks. */
export interface BatcherCounts {
  passes: number;
  tokens: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

/** A forward pass that gave scores. */
export interface Pass {
  lane: LaneName;
  rows: number;
  tokens: number;
  /** Tokens of the longest row: attention is padded to it. */
  longest: number;
  /** Attention cells that belong to rows: the sum of their squared lengths. What more is computed is padding. */
  cells: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

export interface BatcherScoreOptions {
  /** `bulk`, the default, or `express`: rows that somebody waits for. */
  lane?: LaneName;
}

/** A single row is tried this often before it is the row's own error: somebody may have killed the process. */
const TRIES = 2;

/**
 * Turns rows from any number of callers into forward passes. Rows of one lane that wait are planned together, whoever
 * they belong to. Express rows wait for the pass that runs, and for no other (see Flights); bulk never starves.
 *
 * When a batch fails (the engine process died, or the pass gave an error) it is tried again with no other beside it,
 * then in halves, until the row that does it is found: that one gets the error, every other its score. Before a row is
 * blamed the engine has to manage a batch of one token: if it cannot, it is not the rows.
 *
 * A batch that the device has no memory for is not the rows' doing either: it is tried again in halves, and from then on
 * batches hold at most half as much. A single row that does not fit ends the scoring, with no error kept for it.
 */
export class Batcher {
  readonly #run: RunBatch;
  /** What batches are planned with from now on. */
  costModel: CostModel;
  readonly counts: BatcherCounts = { passes: 0, tokens: 0, runMs: 0 };
  readonly #lanes = { express: new Lane(), bulk: new Lane() } satisfies Record<LaneName, Lane>;
  readonly #flights = new Flights();
  readonly #onPass: (pass: Pass) => void;
  readonly #onBudget: (budgetTokens: number) => void;

  /**
   * @param onPass   told of every forward pass that gave scores
   * @param onBudget told of the tokens that a batch may hold from now on, when more did not fit into memory
   */
  constructor(
    run: RunBatch,
    model: CostModel,
    onPass: (pass: Pass) => void = () => {},
    onBudget: (budgetTokens: number) => void = () => {},
  ) {
    this.#run = run;
    this.costModel = model;
    this.#onPass = onPass;
    this.#onBudget = onBudget;
  }

  /**
   * Scores rows of token ids.
   * @returns one outcome a row, in the given order
   * @throws when the engine is broken: then no row is to blame
   */
  score(rows: Int32Array[], { lane = 'bulk' }: BatcherScoreOptions = {}): Promise<RowOutcome[]> {
    const outcomes = rows.map(
      (tokenIds) =>
        new Promise<RowOutcome>((resolve, reject) => this.#lanes[lane].add({ tokenIds, resolve, reject })),
    );
    if (lane === 'express' && rows.length > 0) this.#flights.makeWay();
    this.#pump();
    return Promise.all(outcomes);
  }

  /**
   * Makes a pass for its time: among those of bulk, so that express rows do not wait for more than the one that runs.
   * Counts and `onPass` know nothing of it.
   * @param tokenIds of all rows, one after another
   * @throws when it fails; it is not tried again
   */
  time(tokenIds: Int32Array, lengths: Int32Array): Promise<{ runMs: number }> {
    return new Promise((resolve, reject) => {
      let at = 0;
      const rows = Array.from(lengths, (length): Row => {
        at += length;
        return { tokenIds: tokenIds.subarray(at - length, at), resolve: () => {}, reject };
      });
      this.#lanes.bulk.time(rows, (runMs) => resolve({ runMs }));
      this.#pump();
    });
  }

  #pump(): void {
    for (;;) {
      const lane = this.#flights.next(this.#lanes);
      const batch = lane && this.#lanes[lane].next(this.costModel);
      if (lane === undefined || batch === undefined) return;
      const flight = this.#flights.add(lane, batch);
      void this.#fly(flight).then((ran) => {
        this.#flights.remove(flight, ran);
        this.#pump();
      });
    }
  }

  /** @returns false when the batch was asked back before it began */
  async #fly({ lane, batch, recall }: Flight): Promise<boolean> {
    const { rows, suspect } = batch;
    for (let attempt = 1; ; attempt++) {
      try {
        const lengths = Int32Array.from(rows, lengthOf);
        this.#settle(lane, batch, await this.#run(concatenate(rows), lengths, recall.signal));
        return true;
      } catch (error) {
        if (error instanceof RecalledError) {
          this.#lanes[lane].putBack(batch);
          return false;
        }
        if (batch.onTimed !== undefined) {
          for (const row of rows) row.reject(error as Error);
          return true;
        }
        if (error instanceof OutOfMemoryError) {
          if (rows.length > 1) {
            this.#lowerBudget(rows);
            this.#lanes[lane].suspect(...halves(rows));
          } else if (!suspect) this.#lanes[lane].suspect(rows);
          else if (attempt < TRIES) continue;
          else this.#giveUp(batch, tooLarge(rows, error));
          return true;
        }
        // A suspect has no other batch beside it: what goes wrong is its doing, or the engine's.
        const broken = suspect ? await this.#whyBroken() : undefined;
        if (broken !== undefined) this.#giveUp(batch, broken);
        else if (!suspect) this.#lanes[lane].suspect(rows);
        else if (rows.length > 1) this.#lanes[lane].suspect(...halves(rows));
        else if (attempt < TRIES) continue;
        else for (const row of rows) row.resolve({ error: messageOf(error) });
        return true;
      }
    }
  }

  /** Half of what did not fit: for what is planned from now on. */
  #lowerBudget(rows: Row[]): void {
    const tokens = rows.reduce((sum, row) => sum + row.tokenIds.length, 0);
    const budgetTokens = Math.max(1, Math.floor(tokens / 2));
    if (budgetTokens >= this.costModel.budgetTokens) return;
    this.costModel = { ...this.costModel, budgetTokens };
    for (const lane of Object.values(this.#lanes)) lane.planAnew();
    this.#onBudget(budgetTokens);
  }

  /** The error of an engine that cannot even run a batch of one token; every vocabulary has a token 0. */
  async #whyBroken(): Promise<unknown> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#run(Int32Array.of(0), Int32Array.of(1));
        return undefined;
      } catch (error) {
        if (attempt >= TRIES) return error;
      }
    }
  }

  #settle(lane: LaneName, { rows, onTimed }: Batch, result: BatchResult): void {
    if (onTimed !== undefined) {
      onTimed(result.runMs);
      return;
    }
    const tokens = rows.reduce((sum, row) => sum + row.tokenIds.length, 0);
    const { runMs } = result;
    this.counts.passes++;
    this.counts.tokens += tokens;
    this.counts.runMs += runMs;
    const longest = Math.max(...rows.map(lengthOf));
    const cells = rows.reduce((sum, row) => sum + row.tokenIds.length ** 2, 0);
    this.#onPass({ lane, rows: rows.length, tokens, longest, cells, runMs });
    for (const [i, row] of rows.entries()) {
      const score = result.scores[i];
      if (score === undefined)
        row.reject(new Error(`${rows.length} rows gave ${result.scores.length} scores`));
      else row.resolve({ score });
    }
  }

  #giveUp({ rows }: Batch, error: unknown): void {
    const broken = isUserError(error)
      ? error
      : new Error(`the engine fails on every row: ${messageOf(error)}`, { cause: error });
    const { express, bulk } = this.#lanes;
    for (const row of [...rows, ...express.takeAll(), ...bulk.takeAll()]) row.reject(broken);
  }
}

const tooLarge = (rows: Row[], cause: OutOfMemoryError): UserError =>
  new UserError(
    `the device has no memory left for a single row of ${rows[0]?.tokenIds.length} tokens: ${cause.message.trim().split('\n')[0]}`,
    {
      hint: 'End what else uses the device, take another one (--device), or hold the weights in less: --precision int8 or int4.',
      cause,
    },
  );

const lengthOf = (row: Row): number => row.tokenIds.length;

function concatenate(rows: Row[]): Int32Array {
  const all = new Int32Array(rows.reduce((sum, row) => sum + row.tokenIds.length, 0));
  let at = 0;
  for (const { tokenIds } of rows) {
    all.set(tokenIds, at);
    at += tokenIds.length;
  }
  return all;
}

function halves<T>(values: T[]): T[][] {
  const middle = Math.ceil(values.length / 2);
  return [values.slice(0, middle), values.slice(middle)];
}
