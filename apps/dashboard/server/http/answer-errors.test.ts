import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createPool } from '@tocsin/postgres';
import { expect, test } from 'vitest';
import { toApiError } from './answer-errors.js';

/** A closed port of this machine. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test.each(['127.0.0.1', 'localhost'])(
  'a database at %s that is away is a 503, however deep its error lies',
  async (host) => {
    const pool = createPool(`postgres://tocsin@${host}:${await freePort()}/tocsin`, {
      applicationName: 'tocsin test',
    });
    const refused: unknown = await pool.query('select 1').catch((error: unknown) => error);
    await pool.end();
    // As Drizzle does.
    const wrapped = new Error('Failed query: select 1', { cause: refused });
    for (const error of [refused, wrapped]) {
      expect(toApiError(error)).toMatchObject({
        status: 503,
        code: 'unavailable',
        message: 'the database does not answer',
        retryAfter: 5,
      });
    }
  },
);
