import type { LaneName } from '@tocsin/core';
import type { Batch } from './lane.js';

/**
 * While both lanes have work, every fourth pass is a bulk pass. Bulk then keeps a quarter of the device when express
 * passes are as long as its own, and 4/5 of it when they take a twelfth of the time, as single short texts do. An
 * express row still waits for one bulk pass at most.
 */
export const MOST_EXPRESS_IN_A_ROW = 3;
/** One batch runs while the next is on its way: the engine process never waits for its parent. */
const MOST_IN_FLIGHT = 2;

/** A batch that is in the engine process: it runs, or is next. */
export interface Flight {
  lane: LaneName;
  batch: Batch;
  /** Asks the batch back, as long as it has not begun. */
  recall: AbortController;
  /** It runs, or it is its lane's turn: it is not asked back. */
  firm: boolean;
}

/** What each lane has to be run. */
export type Work = Record<LaneName, { hasWork: boolean; hasSuspects: boolean }>;

/**
 * Who flies next: express before bulk, but never more than three times in a row. The engine process takes batches in
 * order, and has two of bulk: when an express row comes, the one that has not begun is asked back. An express batch
 * itself leaves only when nothing is before it, so that all that has come until then goes along.
 */
export class Flights {
  readonly #inOrder: Flight[] = [];
  /** Express passes since the last one of bulk. */
  #expressInARow = 0;

  /** The lane whose next batch is to leave now, if one is. */
  next(work: Work): LaneName | undefined {
    const { express, bulk } = work;
    const [first] = this.#inOrder;
    if (this.#inOrder.length >= MOST_IN_FLIGHT) return undefined;
    // Suspects run alone: when the process dies over one, no other batch dies with it.
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

  /** @param ran false for one that was asked back */
  remove(flight: Flight, ran: boolean): void {
    this.#inOrder.splice(this.#inOrder.indexOf(flight), 1);
    if (ran && flight.lane === 'express') this.#expressInARow++;
    if (ran && flight.lane === 'bulk') this.#expressInARow = 0;
    this.#settleFirst();
  }

  /** Express rows have come: bulk that has not begun makes way for them, unless it is its turn. */
  makeWay(): void {
    for (const { firm, recall } of this.#inOrder) if (!firm) recall.abort();
  }

  get #bulksTurn(): boolean {
    const flying = this.#inOrder.filter(({ lane }) => lane === 'express').length;
    return this.#expressInARow + flying >= MOST_EXPRESS_IN_A_ROW;
  }

  /** The first one in order has begun, as far as one can know. */
  #settleFirst(): void {
    const [first] = this.#inOrder;
    if (first === undefined || first.lane === 'express' || first.recall.signal.aborted) return;
    first.firm = true;
    this.#expressInARow = 0;
  }
}
