import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';

const LOOK_EVERY_MS = 50;

/** Watches a database for parcels that are finished, from the side: it is the user who sees no score come. */
export class Commits {
  readonly #pool: Pool;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  /** When the number of finished parcels was seen to have grown. */
  readonly #grewAt: number[] = [];
  /** Parcels that wait or are under way, at the last look. */
  waiting = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#watching = this.#watch();
  }

  /** Milliseconds from a time (of `performance`) to the next commit; undefined when none came after it. */
  after(time: number): number | undefined {
    const next = this.#grewAt.find((at) => at > time);
    return next === undefined ? undefined : next - time;
  }

  async close(): Promise<void> {
    this.#over.abort();
    await this.#watching;
  }

  async #watch(): Promise<void> {
    let known = 0;
    while (!this.#over.signal.aborted) {
      const looked = performance.now();
      // A server that is away is what the others have to cope with; here it is no commit.
      const counts = await this.#look().catch(() => undefined);
      if (counts !== undefined) {
        // It came between the begin of this look and the look before: the later time is taken.
        if (counts.done > known) this.#grewAt.push(looked);
        known = counts.done;
        this.waiting = counts.waiting;
      }
      await sleep(LOOK_EVERY_MS);
    }
  }

  async #look(): Promise<{ done: number; waiting: number } | undefined> {
    const { rows } = await this.#pool.query<{ done: number; waiting: number }>(
      `select count(*) filter (where state = 'done') as done, count(*) filter (where state = 'waiting') as waiting
       from parcels`,
    );
    return rows[0];
  }
}
