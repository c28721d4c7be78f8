import type { LaneName } from '@tocsin/core';
import { type CostModel, planBatches } from './plan-batches.js';

/** A row's score, or its own error. */
export type RowOutcome = { score: number; error?: undefined } | { score?: undefined; error: string };

/** A row waiting for its forward pass. */
export interface Row {
  tokenIds: Int32Array;
  resolve(outcome: RowOutcome): void;
  reject(error: Error): void;
}

/** Rows of one forward pass. */
export interface Batch {
  rows: Row[];
  /** It has failed before, beside others or as part of a larger batch. */
  suspect: boolean;
  /** Of a timing pass: called with its milliseconds in the engine process. */
  onTimed?: (runMs: number) => void;
}

/** Rows planned together: enough to fill batches, few enough to plan quickly. */
const ROWS_PER_PLAN = 4096;

/** The waiting rows of one lane. */
export class Lane {
  #waiting: Row[] = [];
  #planned: Row[][] = [];
  #suspects: Row[][] = [];
  /** Timing passes. */
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

  /** Adds a timing pass of exactly these rows, before the planned batches. */
  time(rows: Row[], onTimed: (runMs: number) => void): void {
    this.#timed.push({ rows, suspect: false, onTimed });
  }

  /** The next batch. Plans lazily, so that all rows that arrived until then are included. */
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

  /** Discards the plan, since the limit of batches has changed. */
  planAnew(): void {
    this.#waiting = [...this.#planned.splice(0).flat(), ...this.#waiting];
  }

  /** Puts a batch that did not run back at the front. */
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

/**
 * While both lanes have work, every fourth pass is bulk. Bulk keeps a quarter of the device when express passes are as
 * long as its own, and 4/5 when they take a twelfth of the time, as single short texts do. An express row waits for at
 * most one bulk pass.
 */
export const MOST_EXPRESS_IN_A_ROW = 3;
/** One batch runs while the next is queued, so that the engine process never waits for its parent. */
const MOST_IN_FLIGHT = 2;

/** A batch in the engine process: running, or next. */
export interface Flight {
  lane: LaneName;
  batch: Batch;
  /** Recalls the batch unless it has started. */
  recall: AbortController;
  /** Running, or its lane's turn: not recalled. */
  firm: boolean;
}

/** The number of batches waiting in each lane. */
export type Work = Record<LaneName, { hasWork: boolean; hasSuspects: boolean }>;

/**
 * Decides which lane runs next: express before bulk, but at most three times in a row. The engine process runs batches
 * in order and holds two bulk batches; when an express row arrives, the one that has not started is recalled. An express
 * batch is sent only when nothing is before it, so that it includes all rows that arrived until then.
 */
export class Flights {
  readonly #inOrder: Flight[] = [];
  /** Express passes since the last bulk pass. */
  #expressInARow = 0;

  /** The lane whose next batch should be sent now, if any. */
  next(work: Work): LaneName | undefined {
    const { express, bulk } = work;
    const [first] = this.#inOrder;
    if (this.#inOrder.length >= MOST_IN_FLIGHT) return undefined;
    // Quarantined batches run alone: if the process dies, no other batch is lost.
    const alone = first?.batch.suspect === true || express.hasSuspects || bulk.hasSuspects;
    if (alone && first !== undefined) return undefined;
    if (!express.hasWork) return bulk.hasWork ? 'bulk' : undefined;
    if (first === undefined) return bulk.hasWork && this.#bulksTurn ? 'bulk' : 'express';
    return bulk.hasWork && first.lane === 'express' && this.#bulksTurn ? 'bulk' : undefined;
  }

  add(lane: LaneName, batch: Batch): Flight {
    const firm = lane === 'express' || this.#bulksTurn;
    const flight: Flight = { lane, batch, recall: new AbortController(), firm };
    this.#inOrder.push(flight);
    this.#settleFirst();
    return flight;
  }

  /** @param ran false for a recalled batch */
  remove(flight: Flight, ran: boolean): void {
    this.#inOrder.splice(this.#inOrder.indexOf(flight), 1);
    if (ran && flight.lane === 'express') this.#expressInARow++;
    if (ran && flight.lane === 'bulk') this.#expressInARow = 0;
    this.#settleFirst();
  }

  /** Express rows arrived: recalls bulk that has not started, unless it is its turn. */
  makeWay(): void {
    for (const { firm, recall } of this.#inOrder) if (!firm) recall.abort();
  }

  get #bulksTurn(): boolean {
    const flying = this.#inOrder.filter(({ lane }) => lane === 'express').length;
    return this.#expressInARow + flying >= MOST_EXPRESS_IN_A_ROW;
  }

  /** The first in order has presumably started. */
  #settleFirst(): void {
    const [first] = this.#inOrder;
    if (first === undefined || first.lane === 'express' || first.recall.signal.aborted) return;
    first.firm = true;
    this.#expressInARow = 0;
  }
}
