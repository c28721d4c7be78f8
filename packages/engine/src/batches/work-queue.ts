import { setImmediate as nextTurn } from 'node:timers/promises';

interface Piece {
  id: number | undefined;
  work: () => Promise<void>;
}

/**
 * Runs pieces of work one after another, in order of arrival. The event loop turns between two pieces, so that messages
 * are received: a forward pass blocks the thread, and otherwise no piece could be recalled.
 */
export class WorkQueue {
  readonly #waiting: Piece[] = [];
  #busy = false;

  /** @param work must not reject; a piece without an id cannot be recalled */
  add(id: number | undefined, work: () => Promise<void>): void {
    this.#waiting.push({ id, work });
    if (!this.#busy) void this.#workOff();
  }

  /** Recalls a piece. @returns false when it has started or ended */
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
