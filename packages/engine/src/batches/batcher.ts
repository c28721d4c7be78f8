import { isUserError, type LaneName, messageOf, UserError } from '@tocsin/core';
import type { BatchResult, RunBatch } from '../process/engine.js';
import { RecalledError } from '../process/engine-process.js';
import { type Batch, type Flight, Flights, Lane, type Row, type RowOutcome } from './lanes.js';
import { OutOfMemoryError } from './out-of-memory.js';
import type { CostModel } from './plan-batches.js';

/** Counts of forward passes, for summaries and benchmarks. */
export interface BatcherCounts {
  passes: number;
  tokens: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

/** A successful forward pass. */
export interface Pass {
  lane: LaneName;
  rows: number;
  tokens: number;
  /** Tokens of the longest row: attention is padded to it. */
  longest: number;
  /** Attention cells without padding: the sum of the rows' squared lengths. */
  cells: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

export interface BatcherScoreOptions {
  /** `bulk` (default) for batch rows, `express` for interactive requests. */
  lane?: LaneName;
}

/** Attempts of a single row before it gets an error: the process may have been killed from outside. */
const TRIES = 2;

/**
 * Turns rows of any number of callers into forward passes. Waiting rows of a lane are planned together, whatever their
 * caller. Express rows wait only for the running pass (see Flights); bulk never starves.
 *
 * When a batch fails (the engine process died, or the pass threw) it is retried alone, then in halves, until the bad row
 * is found: it gets the error, every other row its score. Before a row is blamed the engine must run a batch of one
 * token: if it cannot, the engine is broken.
 *
 * A batch that does not fit into memory is retried in halves, and from then on batches hold at most half as much. A
 * single row that does not fit ends the scoring; no error is stored for it.
 */
export class Batcher {
  readonly #run: RunBatch;
  /** The current cost model. */
  costModel: CostModel;
  readonly counts: BatcherCounts = { passes: 0, tokens: 0, runMs: 0 };
  readonly #lanes = { express: new Lane(), bulk: new Lane() } satisfies Record<LaneName, Lane>;
  readonly #flights = new Flights();
  readonly #onPass: (pass: Pass) => void;
  readonly #onBudget: (budgetTokens: number) => void;

  /**
   * @param onPass   called after every successful forward pass
   * @param onBudget called with the new token limit of batches, when more did not fit into memory
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
   * @returns one outcome per row, in the given order
   * @throws when the engine is broken
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
   * Runs a pass to measure its time, in the bulk lane, so that express rows still wait only for the running pass. Not
   * counted, and not reported to `onPass`.
   * @param tokenIds of all rows, concatenated
   * @throws when it fails; not retried
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

  /** @returns false when the batch was recalled before it started */
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
        // A quarantined batch runs alone: a failure is its own or the engine's.
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

  /** Limits future batches to half of what did not fit. */
  #lowerBudget(rows: Row[]): void {
    const tokens = rows.reduce((sum, row) => sum + row.tokenIds.length, 0);
    const budgetTokens = Math.max(1, Math.floor(tokens / 2));
    if (budgetTokens >= this.costModel.budgetTokens) return;
    this.costModel = { ...this.costModel, budgetTokens };
    for (const lane of Object.values(this.#lanes)) lane.planAnew();
    this.#onBudget(budgetTokens);
  }

  /** The error of an engine that cannot run even a batch of one token; every vocabulary has a token 0. */
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
      hint: 'Stop other programs that use the device, use another device (--device), or a smaller precision: --precision int8 or int4.',
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
