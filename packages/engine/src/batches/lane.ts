import type { CostModel } from './cost-model.js';
import { planBatches } from './plan-batches.js';

/** A row's outcome: its score, or why it has none though every other row has. */
export type RowOutcome = { score: number; error?: undefined } | { score?: undefined; error: string };

/** A row that waits for its forward pass. */
export interface Row {
  tokenIds: Int32Array;
  resolve(outcome: RowOutcome): void;
  reject(error: Error): void;
}

/** Rows of one forward pass. */
export interface Batch {
  rows: Row[];
  /** It has failed before, beside others or as part of a larger one. */
  suspect: boolean;
  /** Of a pass that is made for its time alone: told of it, in milliseconds in the engine process. */
  onTimed?: (runMs: number) => void;
}

/** Rows that are planned together: enough to fill batches well, few enough that planning takes no time. */
const ROWS_PER_PLAN = 4096;

/** The rows of one lane, on their way into batches. */
export class Lane {
  #waiting: Row[] = [];
  #planned: Row[][] = [];
  #suspects: Row[][] = [];
  /** Passes made for their time. */
  #timed: Batch[] = [];

  get hasWork(): boolean {
    return this.#waiting.length > 0 || this.#planned.length > 0 || this.#timed.length > 0 || this.hasSuspects;
  }

  get hasSuspects(): boolean {
    return this.#suspects.length > 0;
  }

  add(row: Row): void {
    this.#waiting.push(row);
  }

  /** A pass of exactly these rows, made for its time: before what is planned. */
  time(rows: Row[], onTimed: (runMs: number) => void): void {
    this.#timed.push({ rows, suspect: false, onTimed });
  }

  /** The next batch. Rows are planned when they are needed: whatever has come by then is in the plan. */
  next(model: CostModel): Batch | undefined {
    const suspect = this.#suspects.pop();
    if (suspect !== undefined) return { rows: suspect, suspect: true };
    const timed = this.#timed.shift();
    if (timed !== undefined) return timed;
    if (this.#planned.length === 0 && this.#waiting.length > 0) {
      const rows = this.#waiting.splice(0, ROWS_PER_PLAN);
      const lengths = rows.map((row) => row.tokenIds.length);
      this.#planned = planBatches(lengths, model).map((batch) => batch.flatMap((i) => rows[i] ?? []));
    }
    const rows = this.#planned.shift();
    return rows === undefined ? undefined : { rows, suspect: false };
  }

  /** What is planned is planned again: a batch may hold less than it could. */
  planAnew(): void {
    this.#waiting = [...this.#planned.splice(0).flat(), ...this.#waiting];
  }

  /** A batch that was not run after all is the next one again. */
  putBack(batch: Batch): void {
    if (batch.onTimed === undefined) this.#planned.unshift(batch.rows);
    else this.#timed.unshift(batch);
  }

  suspect(...batches: Row[][]): void {
    this.#suspects.push(...batches);
  }

  /** Empties the lane. */
  takeAll(): Row[] {
    const timed = this.#timed.flatMap(({ rows }) => rows);
    const all = [...timed, ...this.#suspects.flat(), ...this.#planned.flat(), ...this.#waiting];
    this.#timed = [];
    this.#suspects = [];
    this.#planned = [];
    this.#waiting = [];
    return all;
  }
}
