import { checkServerUrl, messageOf, UserError } from '@tocsin/core';
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

/** Postgres and the queue, ready to be used. */
export interface Stack {
  pool: Pool;
  /** With the schema, for processes that share this stack. */
  databaseUrl: string;
  backend: QueueBackend;
  /** What this process says of itself. */
  telemetry: Telemetry;
  close(): Promise<void>;
}

export interface StackOptions {
  /** Of the embedded server, when DATABASE_URL is unset. */
  dataDir?: string;
  env?: NodeJS.ProcessEnv;
  /** Where metrics and health are served; nowhere by default. */
  listen?: ListenAt;
  /** Ends what waits: a start of servers, and statements that are still waited for some seconds after it. */
  interrupted: AbortSignal;
  /** Told of tables that are not read, and of a server that is restarted or cannot be. */
  onWarning: (message: string) => void;
}

/**
 * The user's servers where DATABASE_URL and REDIS_URL name them; else an embedded PostgreSQL, and the queue in
 * Postgres. One code path from here on (invariant 7).
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
  const backend: QueueBackend = {
    ...(env.REDIS_URL ? { kind: 'redis', url: env.REDIS_URL } : { kind: 'postgres', url: databaseUrl }),
    telemetry: telemetry.tracing.queue,
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
