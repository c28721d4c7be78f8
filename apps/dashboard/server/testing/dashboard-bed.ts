import { join } from 'node:path';
import { ROLES, type Role } from '@tocsin/core';
import { type OpenGuard, openGuard } from '@tocsin/engine';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { goldenDirs } from '@tocsin/siren/testing';
import { createKey } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { Telemetry } from '@tocsin/telemetry';
import { runWorker } from '@tocsin/worker';
import { pino } from 'pino';
import { inject } from 'vitest';
import type { App } from '../app.js';
import type { DashboardOptions } from '../dashboard.js';
import { createDashboard } from '../dashboard.js';

const GUARD = 'qwen3-residual';
const VERSION = '0.0.0';

/** A request to the test server. */
export interface Request {
  method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE' | 'HEAD';
  url: string;
  body?: unknown;
  headers?: Record<string, string>;
}

export interface Answer<Body> {
  status: number;
  body: Body;
  headers: Record<string, string | string[] | undefined>;
  text: string;
}

/** A caller with a key of this role, or with the given key; `null` sends no key. */
export type Caller = Role | { key: string } | null;

/** A server with a real database, a golden guard and one key per role. Workers start on demand. */
export class DashboardBed {
  readonly app: App;
  readonly database: TestDatabase;
  readonly backend: QueueBackend;
  readonly guard: OpenGuard;
  readonly keys: Readonly<Record<Role, { id: string; key: string }>>;
  /** The server's log lines. */
  log = '';
  readonly #telemetry: Telemetry;
  readonly #over = new AbortController();
  #worker: Promise<void> | undefined;
  #origin: Promise<string> | undefined;

  private constructor(
    parts: Pick<DashboardBed, 'app' | 'database' | 'backend' | 'guard' | 'keys'>,
    telemetry: Telemetry,
  ) {
    this.app = parts.app;
    this.database = parts.database;
    this.backend = parts.backend;
    this.guard = parts.guard;
    this.keys = parts.keys;
    this.#telemetry = telemetry;
  }

  /** @param changes `keyless` creates no keys */
  static async open(
    changes: Partial<DashboardOptions> & { keyless?: boolean; guardName?: typeof GUARD | 'qwen3-agent' } = {},
  ): Promise<DashboardBed> {
    const { keyless = false, guardName = GUARD, ...options } = changes;
    const database = await TestDatabase.migrated();
    const { pool } = database;
    const backend: QueueBackend = { kind: 'postgres', url: database.url };
    await prepareBackend(backend);
    const guard = await openGuard(goldenDirs(guardName).artifact, {
      backbone: goldenDirs(guardName).backbone,
      cacheDir: cacheDir(),
    });
    const telemetry = await Telemetry.start({ role: 'dashboard', version: VERSION });
    const lines: string[] = [];
    const app = await createDashboard({
      pool,
      backend,
      telemetry,
      version: VERSION,
      log: pino({ level: 'debug' }, { write: (line) => lines.push(line) }),
      guards: [{ guard, cacheDir: cacheDir(), threads: 1 }],
      schedules: {
        corpusRoots: [],
        allowPrivateWebhooks: false,
      },
      ...options,
    });
    const keys = {} as Record<Role, { id: string; key: string }>;
    for (const role of keyless ? [] : ROLES) {
      const { key, row } = await createKey(pool, { name: `the ${role}`, role, createdBy: 'test' });
      keys[role] = { id: row.id, key };
    }
    const bed = new DashboardBed({ app, database, backend, guard, keys }, telemetry);
    Object.defineProperty(bed, 'log', { get: () => lines.join('') });
    return bed;
  }

  /** Creates another key. */
  async newKey(role: Role, name = `another ${role}`): Promise<{ id: string; key: string }> {
    const { key, row } = await createKey(this.database.pool, { name, role, createdBy: 'test' });
    return { id: row.id, key };
  }

  async ask<Body = unknown>(caller: Caller, request: Request): Promise<Answer<Body>> {
    const { method = 'GET', url, body, headers = {} } = request;
    const key = caller === null ? undefined : typeof caller === 'string' ? this.keys[caller].key : caller.key;
    const response = await this.app.inject({
      method,
      url,
      headers: { host: 'localhost:8080', ...(key && { authorization: `Bearer ${key}` }), ...headers },
      ...(body !== undefined && { payload: body as object }),
    });
    const isJson = /json\b/.test(String(response.headers['content-type'])) && response.body !== '';
    return {
      status: response.statusCode,
      headers: response.headers as Answer<Body>['headers'],
      text: response.body,
      body: (isJson ? JSON.parse(response.body) : undefined) as Body,
    };
  }

  /** Listens on a free port, for tests that need a real connection. @returns its URL */
  async listen(): Promise<string> {
    this.#origin ??= this.app.listen({ host: '127.0.0.1', port: 0 });
    return this.#origin;
  }

  /** Scores pending rows until the bed closes. */
  startWorker(): void {
    const { artifact, backbone } = goldenDirs(GUARD);
    this.#worker = runWorker({
      guard: artifact,
      backbone,
      cacheDir: cacheDir(),
      threads: 1,
      version: VERSION,
      databaseUrl: this.database.url,
      backend: this.backend,
      log: pino({ level: 'silent' }),
      signal: this.#over.signal,
      drainMs: 0,
    });
  }

  async close(): Promise<void> {
    await this.app.close();
    this.#over.abort();
    await this.#worker;
    await this.#telemetry.close();
    await this.database.close();
  }
}

const cacheDir = (): string => join(inject('scratch'), 'cache');
