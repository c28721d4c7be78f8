import { realpath } from 'node:fs/promises';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import type { DataDir } from './data-dir.js';
import { DATABASE, HOST, PATIENCE } from './settings.js';

/** The address for any client; only those who may read the password file can know it. */
export function urlFor(port: number, password: string, database: string = DATABASE): string {
  return `postgres://${DATABASE}:${password}@${HOST}:${port}/${database}`;
}

/**
 * Makes sure that the server on `port` is the one of this directory, lets us in, and has the database.
 * @throws {UserError} when it is not, or does not
 */
export async function ensureDatabase(dir: DataDir, port: number, password: string): Promise<void> {
  const client = new pg.Client({
    connectionString: urlFor(port, password, 'postgres'),
    application_name: 'tocsin start',
    connectionTimeoutMillis: PATIENCE.connect,
  });
  // A lost connection fails the query under way or the next one; without a listener it would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await checkDirectory(client, dir);
    await createOnce(client);
  } catch (cause) {
    throw new UserError(`PostgreSQL runs in ${dir.path}, but cannot be used: ${messageOf(cause)}`, {
      hint:
        codeOf(cause) === '28P01'
          ? 'The file password there does not fit the database. Put the right one back, or choose another directory with --data-dir or TOCSIN_DATA.'
          : `Look at ${dir.logFile}.`,
      cause,
    });
  } finally {
    await client.end();
  }
}

async function checkDirectory(client: pg.Client, dir: DataDir): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  const served = rows[0]?.data_directory ?? '';
  if (served !== dir.data && (await realpath(served)) !== dir.data) {
    throw new Error(`the server works on ${served}, not on ${dir.data}`);
  }
}

async function createOnce(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`create database ${DATABASE}`);
}
