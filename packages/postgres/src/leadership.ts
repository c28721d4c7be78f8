import type pg from 'pg';
import type { Pool } from './connect.js';
import { lockKey } from './schema.js';

/** A leader whose machine is gone is found out within half a minute, instead of the two hours that systems default to. */
const KEEPALIVE = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4`;

/**
 * Lets one of a guard's processes do what only one needs to do. The holder of an advisory lock of Postgres leads, for as
 * long as its connection lives: a process that is killed leads no longer, and the next one that asks does.
 */
export class Leadership {
  readonly #pool: Pool;
  readonly #guardId: number;
  #client: pg.PoolClient | undefined;

  constructor(pool: Pool, guardId: number) {
    this.#pool = pool;
    this.#guardId = guardId;
  }

  /** Whether this process leads now; it tries to if it does not. */
  async held(): Promise<boolean> {
    const client = this.#client ?? (await this.#pool.connect());
    try {
      // Taking a lock that is held already only counts it: nothing is asked of a leader but that its connection lives.
      if (client === this.#client) {
        await client.query('select 1');
        return true;
      }
      await client.query(KEEPALIVE);
      const { rows } = await client.query<{ leads: boolean }>(
        `select pg_try_advisory_lock(${lockKey('leader', '$1')}) as leads`,
        [this.#guardId],
      );
      const leads = rows[0]?.leads === true;
      if (leads) this.#client = client;
      else client.release();
      return leads;
    } catch (error) {
      this.#client = undefined;
      client.release(error as Error);
      throw error;
    }
  }

  /** Lets another process lead. */
  release(): void {
    // The lock goes with the connection.
    this.#client?.release(true);
    this.#client = undefined;
  }
}
