import { messageOf, UserError } from '@tocsin/errors';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { createPool, migrateSchema, type Pool, requireConnection, startEmbedded } from '@tocsin/store';

/** Postgres and the queue, ready to be used. */
export interface Stack {
  pool: Pool;
  databaseUrl: string;
  backend: QueueBackend;
  close(): Promise<void>;
}

export interface StackOptions {
  /** Of the embedded server, when DATABASE_URL is unset. */
  dataDir?: string | undefined;
  env?: NodeJS.ProcessEnv;
  /** Told what is restarted, and what cannot be. */
  onTrouble: (message: string) => void;
}

/**
 * The user's servers where DATABASE_URL and REDIS_URL name them; else an embedded PostgreSQL, and the queue in
 * Postgres. One code path from here on (invariant 7).
 */
export async function openStack(options: StackOptions): Promise<Stack> {
  const env = options.env ?? process.env;
  const server = env.DATABASE_URL ? external(env.DATABASE_URL, options) : await embedded(options);
  const pool = createPool(server.url, { applicationName: 'tocsin' });
  const close = async (): Promise<void> => {
    await pool.end();
    await server.stop();
  };
  const backend: QueueBackend = env.REDIS_URL
    ? { kind: 'redis', url: env.REDIS_URL }
    : { kind: 'postgres', url: server.url };
  try {
    await requireConnection(pool, server.url);
    await migrateSchema(pool);
    await prepareBackend(backend);
    return { pool, databaseUrl: server.url, backend, close };
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
  return { url, stop: () => Promise.resolve() };
}

async function embedded({
  dataDir,
  onTrouble,
}: StackOptions): Promise<{ url: string; stop(): Promise<void> }> {
  const server = await startEmbedded({ dataDir });
  server.onExit(() => {
    onTrouble('The embedded PostgreSQL has ended; starting it again');
    server.ensureRunning().catch((error: unknown) => onTrouble(messageOf(error)));
  });
  return server;
}
