import { checkServerUrl, messageOf, redisUrlOf, UserError } from '@tocsin/core';
import {
  cancelWhenInterrupted,
  createPool,
  type Pool,
  requireConnection,
  startEmbedded,
  withRetry,
  withSchema,
} from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { migrateSchema } from '@tocsin/store';
import { type ListenAt, Telemetry } from '@tocsin/telemetry';
import { VERSION } from '../version.js';

/** Connected Postgres and queue. */
export interface Stack {
  pool: Pool;
  /** With the schema, for processes that share this stack. */
  databaseUrl: string;
  backend: QueueBackend;
  /** This process's telemetry. */
  telemetry: Telemetry;
  close(): Promise<void>;
}

export interface StackOptions {
  /** Data directory of the embedded server, when DATABASE_URL is unset. */
  dataDir?: string;
  env?: NodeJS.ProcessEnv;
  /** Address for metrics and health; none by default. */
  listen?: ListenAt;
  /** Aborts the start of servers, and statements that are still running some seconds later. */
  interrupted: AbortSignal;
  /** Called about ignored tables, and about restarts of the embedded server. */
  onWarning: (message: string) => void;
}

/**
 * Connects to DATABASE_URL and REDIS_URL; without them starts an embedded PostgreSQL, with the queue in Postgres. From
 * here on both use the same code (invariant 7).
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const env = options.env ?? process.env;
  const server = env.DATABASE_URL ? external(env.DATABASE_URL, options) : await embedded(options);
  const databaseUrl = withSchema(server.url, env);
  const telemetry = await Telemetry.start({
    role: 'tocsin',
    version: VERSION,
    listen: options.listen,
    env,
  }).catch(async (error: unknown) => {
    await server.stop();
    throw error;
  });
  const pool = createPool(databaseUrl, { applicationName: 'tocsin' });
  cancelWhenInterrupted(pool, options.interrupted);
  const close = async (): Promise<void> => {
    await telemetry.close();
    await pool.end();
    await server.stop();
  };
  const redisUrl = redisUrlOf(env);
  const backend: QueueBackend = {
    ...(redisUrl ? { kind: 'redis', url: redisUrl } : { kind: 'postgres', url: databaseUrl }),
    telemetry: telemetry.tracing.queue,
    interrupted: options.interrupted,
  };
  telemetry.readiness.check('database', async () => void (await pool.query('select 1')));
  if (backend.kind === 'redis') telemetry.readiness.check('queue', () => prepareBackend(backend));
  try {
    await requireConnection(pool, databaseUrl);
    const warning = await withRetry(() => migrateSchema(pool), options.interrupted);
    if (warning !== undefined) options.onWarning(warning);
    options.interrupted.throwIfAborted();
    await prepareBackend(backend);
    return { pool, databaseUrl, backend, telemetry, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function external(url: string, { dataDir }: StackOptions): { url: string; stop(): Promise<void> } {
  if (dataDir !== undefined) {
    throw new UserError('--data-dir is for the embedded server, but DATABASE_URL names another', {
      hint: 'Leave one of them out.',
    });
  }
  checkServerUrl('DATABASE_URL', url);
  return { url, stop: () => Promise.resolve() };
}

async function embedded({
  dataDir,
  onWarning,
}: StackOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const server = await startEmbedded({ dataDir });
  server.onExit(() => {
    onWarning('The embedded PostgreSQL has ended; starting it again');
    server.ensureRunning().catch((error: unknown) => onWarning(messageOf(error)));
  });
  return server;
}
