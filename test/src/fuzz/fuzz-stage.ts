import { Writable } from 'node:stream';
import type { Role } from '@tocsin/core';
import { type App, createDashboard, DEFAULT_LIMITS } from '@tocsin/dashboard';
import { scoredRun } from '@tocsin/dashboard/testing';
import { openGuard } from '@tocsin/engine';
import { createPool, type Pool } from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { goldenDirs } from '@tocsin/siren/testing';
import { createKey } from '@tocsin/store';
import { Telemetry } from '@tocsin/telemetry';
import { runWorker } from '@tocsin/worker';
import { pino } from 'pino';
import type { ApiDocument, AskerName, FuzzRequest, Known } from './requests.js';
import { type FuzzAnswer, send } from './send.js';

const GUARD = 'qwen3-residual';
const VERSION = '0.0.0';

/** Included in every text that belongs to another key. */
export const SECRET = 'the-text-of-somebody-else';

export interface FuzzStageOptions {
  /** Pool of a migrated database. */
  databaseUrl: string;
  cacheDir: string;
}

/** A server and a worker in this process, and resources of a key that sends no requests. */
export class FuzzStage {
  readonly document: ApiDocument;
  readonly known: Known;
  readonly #origin: string;
  readonly #keys: Record<AskerName, string | undefined>;
  readonly #close: () => Promise<void>;
  readonly #logged: () => string;

  private constructor(parts: {
    document: ApiDocument;
    known: Known;
    origin: string;
    keys: Record<AskerName, string | undefined>;
    close: () => Promise<void>;
    logged: () => string;
  }) {
    this.document = parts.document;
    this.known = parts.known;
    this.#origin = parts.origin;
    this.#keys = parts.keys;
    this.#close = parts.close;
    this.#logged = parts.logged;
  }

  static async open({ databaseUrl, cacheDir }: FuzzStageOptions): Promise<FuzzStage> {
    const pool = createPool(databaseUrl, { applicationName: 'tocsin fuzz' });
    const backend: QueueBackend = { kind: 'postgres', url: databaseUrl };
    await prepareBackend(backend);
    const { artifact, backbone } = goldenDirs(GUARD);
    const guard = await openGuard(artifact, { backbone, cacheDir });
    const telemetry = await Telemetry.start({ role: 'dashboard', version: VERSION });
    const lines: string[] = [];
    const log = pino(
      { level: 'debug' },
      new Writable({
        write: (line: Buffer, _, done) => {
          lines.push(line.toString());
          done();
        },
      }),
    );
    const many = { requestsPerMinute: 1e9, wrongKeysPerMinute: 1e9, streams: 1e6, streamIdleSeconds: 5 };
    const app = await createDashboard({
      pool,
      backend,
      telemetry,
      log,
      version: VERSION,
      guards: [{ guard, cacheDir, threads: 1 }],
      schedules: {
        corpusRoots: [cacheDir],
        allowPrivateWebhooks: false,
      },
      limits: { ...DEFAULT_LIMITS, ...many, bodyBytes: 1024 * 1024, uploadBytes: 1024 * 1024 },
    });
    const over = new AbortController();
    const worker = runWorker({
      guard: artifact,
      backbone,
      cacheDir,
      databaseUrl,
      backend,
      threads: 1,
      version: VERSION,
      drainMs: 0,
      log: pino({ level: 'silent' }),
      signal: over.signal,
    });
    const owner = await newKey(pool, 'submit', 'owner');
    const known = await plant(pool, app, guard.fingerprint, owner);
    const keys: Record<AskerName, string | undefined> = {
      submit: (await newKey(pool, 'submit')).key,
      read: (await newKey(pool, 'read')).key,
      review: (await newKey(pool, 'review')).key,
      admin: (await newKey(pool, 'admin')).key,
      stranger: undefined,
      liar: `tcs_${'A'.repeat(43)}`,
    };
    const document = (await app.inject('/api/openapi.json')).json<ApiDocument>();
    const origin = await app.listen({ host: '127.0.0.1', port: 0 });
    const close = async (): Promise<void> => {
      await app.close();
      over.abort();
      await worker;
      await telemetry.close();
      await pool.end();
    };
    return new FuzzStage({ document, known, origin, keys, close, logged: () => lines.join('') });
  }

  send(request: FuzzRequest): Promise<FuzzAnswer> {
    return send(this.#origin, this.#keys[request.asker], request);
  }

  /** The server's log. */
  get log(): string {
    return this.#logged();
  }

  close(): Promise<void> {
    return this.#close();
  }
}

async function newKey(pool: Pool, role: Role, name: string = role): Promise<{ id: string; key: string }> {
  const { key, row } = await createKey(pool, { name, role, createdBy: 'fuzz' });
  return { id: row.id, key };
}

/** Runs, files and batches of a key that sends no requests, and of the command line. */
async function plant(
  pool: Pool,
  app: App,
  fingerprint: string,
  owner: { id: string; key: string },
): Promise<Known> {
  const rows = Array.from({ length: 30 }, (_, i) => ({
    text: `${SECRET} ${i}`,
    score: i / 30,
    key: `${SECRET}-${i}`,
  }));
  const paper = { rows, rejects: [`${SECRET} is no JSON`], name: SECRET };
  const runs = [
    await scoredRun(pool, { ...paper, fingerprint, ownerKey: owner.id }),
    await scoredRun(pool, { ...paper, fingerprint: 'f'.repeat(64) }),
  ];
  const authorization = `Bearer ${owner.key}`;
  const upload = await app.inject({
    method: 'POST',
    url: '/v1/files',
    headers: { authorization, 'content-type': 'multipart/form-data; boundary=x' },
    payload: `--x\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="${SECRET}.jsonl"\r\n\r\n${JSON.stringify(
      { custom_id: SECRET, method: 'POST', url: '/v1/moderations', body: { input: SECRET } },
    )}\n\r\n--x--\r\n`,
  });
  const { id: file } = upload.json<{ id: string }>();
  const created = await app.inject({
    method: 'POST',
    url: '/v1/batches',
    headers: { authorization },
    payload: {
      input_file_id: file,
      endpoint: '/v1/moderations',
      completion_window: '24h',
      metadata: { of: SECRET },
    },
  });
  const { id: batch } = created.json<{ id: string }>();
  const stream = await app.inject({
    method: 'POST',
    url: '/api/streams',
    headers: { authorization },
    payload: {},
  });
  const ids = runs.map(String);
  return {
    '/api/runs id': ids,
    '/api/runs other': ids,
    '/api/runs seq': ['1', '2', '30', '31'],
    '/api/streams id': [stream.json<{ id: string }>().id],
    '/api/policies name': ['strict', 'default', 'permissive'],
    '/api/guards fingerprint': [fingerprint, 'f'.repeat(64)],
    '/v1/files id': [file],
    '/v1/batches id': [batch],
    '/v1/models *': ['strict', 'default'],
    '? run': ids,
    '? q': [SECRET, 'text'],
    '? name': [SECRET],
    '? threshold': ['0.5', '0.1'],
  };
}
