import type pg from 'pg';
import type { Pool } from './connect.js';
import { lockKey } from './schema.js';

/** A leader whose machine is gone is detected within half a minute; systems default to two hours. */
const KEEPALIVE = `set tcp_keepalives_idle = 10; set tcp_keepalives_interval = 5; set tcp_keepalives_count = 4`;

/**
 * Elects one of a guard's processes for work that only one needs to do. The process that holds an advisory lock of Postgres
 * leads while its connection lives. After it is killed, the next process that tries becomes the leader.
 */
export class Leadership {
  readonly #pool: Pool;
  readonly #guardId: number;
  #client: pg.PoolClient | undefined;

  constructor(pool: Pool, guardId: number) {
    this.#pool = pool;
    this.#guardId = guardId;
  }

  /** Whether this process leads now; if not, it tries to become the leader. */
  async held(): Promise<boolean> {
    const client = this.#client ?? (await this.#pool.connect());
    try {
      // Taking a held lock again only increments its count, and checks that the connection lives.
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
    // The end of the connection releases the lock.
    this.#client?.release(true);
    this.#client = undefined;
  }
}
