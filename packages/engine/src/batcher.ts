import { messageOf } from '@tocsin/errors';
import type { CostModel } from './cost-model.js';
import { planBatches } from './plan-batches.js';
import type { BatchResult, RunBatch } from './run-batch.js';

/** A row's outcome: its score, or why it has none though every other row has. */
export type RowOutcome = { score: number; error?: undefined } | { score?: undefined; error: string };

/** Forward passes so far, for summaries and benchmarks. */
export interface BatcherCounts {
  passes: number;
  tokens: number;
  /** Milliseconds in the engine process. */
  runMs: number;
}

interface Row {
  tokenIds: Int32Array;
  resolve(outcome: RowOutcome): void;
  reject(error: Error): void;
}

/** One batch runs while the next is on its way: the engine process never waits for its parent. */
const BATCHES_IN_FLIGHT = 2;
/** Rows that are planned together: enough to fill batches well, few enough that planning takes no time. */
const ROWS_PER_PLAN = 4096;
/** A single row is tried this often before it is the row's own error: somebody may have killed the process. */
const TRIES = 2;

/**
 * Turns rows from any number of callers into forward passes. Rows that wait are planned together, whoever they
 * belong to. When a batch fails (the engine process died, or the pass gave an error) it is tried again with no other
 * beside it, then in halves, until the row that does it is found: that one gets the error, every other its score.
 * Before a row is blamed the engine has to manage a batch of one token: if it cannot, it is not the rows.
 */
export class Batcher {
  readonly #run: RunBatch;
  /** What batches are planned with from now on. */
  costModel: CostModel;
  readonly counts: BatcherCounts = { passes: 0, tokens: 0, runMs: 0 };
  #waiting: Row[] = [];
  #planned: Row[][] = [];
  #suspects: Row[][] = [];
  #inFlight = 0;
  #suspectRuns = false;

  constructor(run: RunBatch, model: CostModel) {
    this.#run = run;
    this.costModel = model;
  }

  /**
   * Scores rows of token ids.
   * @returns one outcome a row, in the given order
   * @throws when the engine is broken: then no row is to blame
   */
  score(rows: Int32Array[]): Promise<RowOutcome[]> {
    const outcomes = rows.map(
      (tokenIds) =>
        new Promise<RowOutcome>((resolve, reject) => this.#waiting.push({ tokenIds, resolve, reject })),
    );
    this.#pump();
    return Promise.all(outcomes);
  }

  #pump(): void {
    while (this.#inFlight < this.#allowedInFlight()) {
      const suspect = this.#suspects.pop();
      const batch = suspect ?? this.#nextPlanned();
      if (batch === undefined) return;
      this.#inFlight++;
      this.#suspectRuns = suspect !== undefined;
      void this.#runBatch(batch, this.#suspectRuns).finally(() => {
        this.#inFlight--;
        this.#suspectRuns = false;
        this.#pump();
      });
    }
  }

  /** Suspects run alone: when the process dies over one, no other batch dies with it. */
  #allowedInFlight(): number {
    return this.#suspectRuns || this.#suspects.length > 0 ? 1 : BATCHES_IN_FLIGHT;
  }

  #nextPlanned(): Row[] | undefined {
    if (this.#planned.length === 0 && this.#waiting.length > 0) {
      const rows = this.#waiting.splice(0, ROWS_PER_PLAN);
      const lengths = rows.map((row) => row.tokenIds.length);
      this.#planned = planBatches(lengths, this.costModel).map((batch) =>
        batch.flatMap((i) => rows[i] ?? []),
      );
    }
    return this.#planned.shift();
  }

  /** @param alone no other batch is in flight: what goes wrong is this one's doing, or the engine's */
  async #runBatch(batch: Row[], alone: boolean): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        this.#settle(batch, await this.#run(concatenate(batch), Int32Array.from(batch, lengthOf)));
        return;
      } catch (error) {
        const broken = alone ? await this.#whyBroken() : undefined;
        if (broken !== undefined) this.#giveUp(batch, broken);
        else if (!alone) this.#suspects.push(batch);
        else if (batch.length > 1) this.#suspects.push(...halves(batch));
        else if (attempt < TRIES) continue;
        else for (const row of batch) row.resolve({ error: messageOf(error) });
        return;
      }
    }
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

  #settle(batch: Row[], result: BatchResult): void {
    this.counts.passes++;
    this.counts.tokens += batch.reduce((sum, row) => sum + row.tokenIds.length, 0);
    this.counts.runMs += result.runMs;
    for (const [i, row] of batch.entries()) {
      const score = result.scores[i];
      if (score === undefined)
        row.reject(new Error(`${batch.length} rows gave ${result.scores.length} scores`));
      else row.resolve({ score });
    }
  }

  #giveUp(batch: Row[], error: unknown): void {
    const broken = new Error(`the engine fails on every row: ${messageOf(error)}`, { cause: error });
    const all = [...batch, ...this.#suspects.flat(), ...this.#planned.flat(), ...this.#waiting];
    this.#suspects = [];
    this.#planned = [];
    this.#waiting = [];
    for (const row of all) row.reject(broken);
  }
}

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
