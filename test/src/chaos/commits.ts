import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '@tocsin/postgres';

const LOOK_EVERY_MS = 50;

/** Polls a database for finished parcels independently of the fleet, as a waiting user would. */
export class Commits {
  readonly #pool: Pool;
  readonly #over = new AbortController();
  readonly #watching: Promise<void>;
  /** When the number of finished parcels was seen to grow. */
  readonly #grewAt: number[] = [];
  /** Unfinished parcels at the last poll. */
  waiting = 0;

  constructor(pool: Pool) {
    this.#pool = pool;
    this.#watching = this.#watch();
  }

  /** Milliseconds from a time (of `performance`) to the next commit; undefined when none followed. */
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
      // A server that is down is a fault for the others; here it only means no commit.
      const counts = await this.#look().catch(() => undefined);
      if (counts !== undefined) {
        // It happened between this poll and the previous one: take the later time.
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
