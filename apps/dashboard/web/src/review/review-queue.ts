import type { NewVerdict, NextReview, ReviewRow, UndoneVerdict, Verdict } from '@tocsin/contract';

/** The server calls that a queue needs. */
export interface ReviewService {
  /** Leases a row, excluding the given ones. */
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

/** Callbacks of a queue. */
export interface ReviewListener {
  onState: (state: ReviewState) => void;
  /** A row was prefetched; data to show it can be fetched now. */
  onAhead: (row: ReviewRow) => void;
  /** A verdict did not reach the server: its row is shown again. */
  onLost: (error: unknown) => void;
}

/**
 * Rows to review, one after another. The next one is prefetched while the current one is read, so that it appears at
 * once after a verdict; verdicts are sent in the background, in order. If sending one fails, its row is shown again.
 */
export class ReviewQueue {
  readonly #service: ReviewService;
  readonly #listener: ReviewListener;
  #state: ReviewState = { phase: 'loading' };
  readonly #waiting: ReviewRow[] = [];
  #filling: Promise<void> | undefined;
  /** Pending verdicts, sent one after another. */
  #sending: Promise<void> = Promise.resolve();
  readonly #onTheirWay = new Set<number>();
  #closed = false;

  constructor(service: ReviewService, listener: ReviewListener) {
    this.#service = service;
    this.#listener = listener;
  }

  /** Starts, or tries again after it was done or failed. */
  async start(): Promise<void> {
    this.#show({ phase: 'loading' });
    await this.#advance();
  }

  /** Records a verdict on the current row and shows the next one. A no-op without a row. */
  async judge(verdict: Verdict, note?: string): Promise<void> {
    if (this.#state.phase !== 'row') return;
    const { row } = this.#state;
    const given = { run: row.run, seq: row.seq, verdict, note };
    this.#onTheirWay.add(row.seq);
    this.#sending = this.#sending.then(() => this.#send(row, given));
    await this.#advance();
  }

  /** Undoes the last verdict, and shows its row again if its text is still stored. @returns the undone verdict */
  async undo(run: number): Promise<UndoneVerdict> {
    await this.#sending;
    const undone = await this.#service.undo(run);
    if (undone.row !== null && !this.#closed) {
      if (this.#state.phase === 'row') this.#waiting.unshift(this.#state.row);
      this.#show({ phase: 'row', row: undone.row });
    }
    return undone;
  }

  /** Rows leased by this queue. */
  get held(): ReviewRow[] {
    return this.#state.phase === 'row' ? [this.#state.row, ...this.#waiting] : [...this.#waiting];
  }

  /** Renews the leases of this queue's rows. */
  async renew(): Promise<void> {
    for (const row of this.held) {
      await this.#sending;
      const others = this.held.filter(({ seq }) => seq !== row.seq);
      // The server returns the reviewer's own row with a fresh lease.
      const { row: given } = await this.#service.next(others.map(({ seq }) => seq));
      const isHeld = this.held.some(({ seq }) => seq === given?.seq);
      // The lease had expired and another row came instead: keep it as a prefetched one.
      if (given !== null && !isHeld) this.#take(given);
    }
  }

  /** Releases all leased rows. */
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
      // With a row on screen the next verdict retries.
      if (this.#state.phase === 'loading') this.#show({ phase: 'failed', error });
    }
  }

  /** Keeps one row on screen and one prefetched. One request at a time, because two would get the same row. */
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
    // No row left: send pending verdicts first, so that the answer takes them into account.
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
