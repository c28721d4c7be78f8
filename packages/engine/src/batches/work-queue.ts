import { setImmediate as nextTurn } from 'node:timers/promises';

interface Piece {
  id: number | undefined;
  work: () => Promise<void>;
}

/**
 * Does one piece of work after another, in the order in which they came. Between two pieces the event loop goes round,
 * so that messages get in: a forward pass blocks the thread, and without that a piece could never be taken back.
 */
export class WorkQueue {
  readonly #waiting: Piece[] = [];
  #busy = false;

  /** @param work must not reject; a piece without an id cannot be taken back */
  add(id: number | undefined, work: () => Promise<void>): void {
    this.#waiting.push({ id, work });
    if (!this.#busy) void this.#workOff();
  }

  /** Takes a piece back. @returns false when it has begun, or is over */
  recall(id: number): boolean {
    const at = this.#waiting.findIndex((piece) => piece.id === id);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }

  async #workOff(): Promise<void> {
    this.#busy = true;
    for (;;) {
      // Two turns: the first may be the rest of the one in which the last piece ended.
      await nextTurn();
      await nextTurn();
      const piece = this.#waiting.shift();
      if (piece === undefined) break;
      await piece.work();
    }
    this.#busy = false;
  }
}
