import type { NewVerdict, NextReview, ReviewRow, UndoneVerdict, Verdict } from '@tocsin/contract';

/** What a queue asks of the server. */
export interface ReviewService {
  /** Leases a row, other than those. */
  next: (besides: number[]) => Promise<NextReview>;
  judge: (verdict: NewVerdict) => Promise<unknown>;
  undo: (run: number) => Promise<UndoneVerdict>;
  release: (run: number, seq: number) => Promise<void>;
}

export type ReviewState =
  | { phase: 'loading' }
  | { phase: 'row'; row: ReviewRow }
  | { phase: 'done' }
  | { phase: 'failed'; error: unknown };

/** Whom a queue tells. */
export interface ReviewListener {
  onState: (state: ReviewState) => void;
  /** A row is at hand for later: whatever it takes to show it can be fetched now. */
  onAhead: (row: ReviewRow) => void;
  /** A verdict did not reach the server: its row is shown again. */
  onLost: (error: unknown) => void;
}

/**
 * Rows to judge, one after another. The next one is leased while the present one is read, so that a verdict shows it
 * at once; verdicts travel behind, in order. A verdict that does not arrive brings its row back.
 */
export class ReviewQueue {
  readonly #service: ReviewService;
  readonly #listener: ReviewListener;
  #state: ReviewState = { phase: 'loading' };
  readonly #waiting: ReviewRow[] = [];
  #filling: Promise<void> | undefined;
  /** Verdicts on their way, one after another. */
  #sending: Promise<void> = Promise.resolve();
  readonly #onTheirWay = new Set<number>();
  #closed = false;

  constructor(service: ReviewService, listener: ReviewListener) {
    this.#service = service;
    this.#listener = listener;
  }

  /** Begins, or looks again after it was done or failed. */
  async start(): Promise<void> {
    this.#show({ phase: 'loading' });
    await this.#advance();
  }

  /** Judges the present row, and shows the next one. Does nothing while there is none. */
  async judge(verdict: Verdict, note?: string): Promise<void> {
    if (this.#state.phase !== 'row') return;
    const { row } = this.#state;
    const given = { run: row.run, seq: row.seq, verdict, note };
    this.#onTheirWay.add(row.seq);
    this.#sending = this.#sending.then(() => this.#send(row, given));
    await this.#advance();
  }

  /** Takes back the last verdict, and shows its row again if it still can be. @returns what was taken back */
  async undo(run: number): Promise<UndoneVerdict> {
    await this.#sending;
    const undone = await this.#service.undo(run);
    if (undone.row !== null && !this.#closed) {
      if (this.#state.phase === 'row') this.#waiting.unshift(this.#state.row);
      this.#show({ phase: 'row', row: undone.row });
    }
    return undone;
  }

  /** Rows that are leased here. */
  get held(): ReviewRow[] {
    return this.#state.phase === 'row' ? [this.#state.row, ...this.#waiting] : [...this.#waiting];
  }

  /** Keeps the rows that are leased here for longer. */
  async renew(): Promise<void> {
    for (const row of this.held) {
      await this.#sending;
      const others = this.held.filter(({ seq }) => seq !== row.seq);
      // The server gives a reviewer's own row again, and for the full time.
      const { row: given } = await this.#service.next(others.map(({ seq }) => seq));
      const isHeld = this.held.some(({ seq }) => seq === given?.seq);
      // It had run out, and another one came in its place: that is one more at hand.
      if (given !== null && !isHeld) this.#take(given);
    }
  }

  /** Gives back what is leased. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.held.map(({ run, seq }) => this.#service.release(run, seq)));
  }

  async #send(row: ReviewRow, verdict: NewVerdict): Promise<void> {
    try {
      await this.#service.judge(verdict);
      this.#onTheirWay.delete(row.seq);
    } catch (error) {
      this.#onTheirWay.delete(row.seq);
      if (this.#closed) return;
      this.#listener.onLost(error);
      if (this.#state.phase === 'row') this.#waiting.unshift(this.#state.row);
      this.#show({ phase: 'row', row });
    }
  }

  async #advance(): Promise<void> {
    const next = this.#waiting.shift();
    if (next !== undefined) {
      this.#show({ phase: 'row', row: next });
    } else {
      this.#show({ phase: 'loading' });
    }
    try {
      await this.#fill();
    } catch (error) {
      // With a row in hand there is time: its verdict asks again.
      if (this.#state.phase === 'loading') this.#show({ phase: 'failed', error });
    }
  }

  /** Sees to it that a row is shown, and one more at hand; asking once at a time, since two would get the same row. */
  #fill(): Promise<void> {
    this.#filling ??= this.#askForMore().finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #askForMore(): Promise<void> {
    while (!this.#closed && this.#waiting.length === 0) {
      const row = await this.#ask();
      if (row === undefined) {
        if (this.#state.phase === 'loading') this.#show({ phase: 'done' });
        return;
      }
      this.#take(row);
    }
  }

  async #ask(): Promise<ReviewRow | undefined> {
    // Nothing at hand: the answer must not depend on a verdict that is still on its way.
    if (this.#state.phase === 'loading') await this.#sending;
    const { row } = await this.#service.next([...this.held.map(({ seq }) => seq), ...this.#onTheirWay]);
    return row ?? undefined;
  }

  #take(row: ReviewRow): void {
    if (this.#closed) {
      void this.#service.release(row.run, row.seq);
      return;
    }
    this.#listener.onAhead(row);
    if (this.#state.phase === 'row') this.#waiting.push(row);
    else this.#show({ phase: 'row', row });
  }

  #show(state: ReviewState): void {
    this.#state = state;
    if (!this.#closed) this.#listener.onState(state);
  }
}
