import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import { createPool, type Pool } from '../connect.js';
import { type EmbeddedServer, startEmbedded } from '../embedded/start-embedded.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A directory that other users may pass through; the global set-up creates and removes it. */
    scratch: string;
  }
}

/** Tests do not need durability. */
const SETTINGS = { fsync: 'off', full_page_writes: 'off' };

/** A queue's backend, as in @tocsin/queue. */
export interface TestBackend {
  kind: 'postgres';
  url: string;
}

/** A new database on a server that all test files share; the first one starts it. */
export class TestDatabase {
  readonly #server: EmbeddedServer;
  readonly url: string;
  /** Connects as Tocsin does. */
  readonly pool: Pool;
  /** Connects as another program does, with the search path `public`. */
  readonly outside: pg.Pool;

  /** For an existing database; `empty` creates one. */
  constructor(server: EmbeddedServer, url: string) {
    this.#server = server;
    this.url = url;
    this.pool = createPool(url, { applicationName: 'tocsin test' });
    this.outside = new pg.Pool({ connectionString: url, application_name: 'tocsin test outside', max: 2 });
    this.outside.on('error', () => {});
  }

  /** Creates a database without tables. */
  static async empty<T extends TestDatabase>(
    this: new (
      server: EmbeddedServer,
      url: string,
    ) => T,
  ): Promise<T> {
    const dataDir = join(inject('scratch'), 'postgres');
    const server = await startEmbedded({ dataDir, settings: SETTINGS });
    const name = `test_${randomBytes(6).toString('hex')}`;
    const pool = createPool(server.url, { applicationName: 'tocsin test', max: 1 });
    await pool.query(`create database ${name}`);
    await pool.end();
    const url = new URL(server.url);
    url.pathname = name;
    return new this(server, url.href);
  }

  /** A queue in this database. */
  get backend(): TestBackend {
    return { kind: 'postgres', url: this.url };
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.end(), this.outside.end()]);
    await this.#server.stop();
  }
}
