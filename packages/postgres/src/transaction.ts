import type pg from 'pg';
import type { Pool } from './connect.js';

/** Runs `work` in one transaction; an error rolls it back. */
export async function inTransaction<T>(pool: Pool, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    return result;
  } catch (error) {
    await client.query('rollback').catch((cause: Error) => {
      // The connection itself is gone, and the transaction with it: it must not go back into the pool.
      broken = cause;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}
