import { addressOf, messageOf, redisUrlOf } from '@tocsin/core';
import {
  createPool,
  defaultDataDir,
  findBinaries,
  type Pool,
  requireConnection,
  schemaOf,
  withSchema,
} from '@tocsin/postgres';
import { inspectRedis, type RedisFacts } from '@tocsin/queue';
import { type SchemaState, schemaState } from '@tocsin/store';
import { type Check, type Circumstances, type Finding, hintOf, note, ok, problem } from '../checkup.js';

const DATABASE = 'database';
const SCHEMA: Record<Exclude<SchemaState, 'newer'>, string> = {
  none: 'no tables yet: the first command creates them',
  older: 'tables of an older version: the next command brings them up to date',
  current: 'tables are up to date',
};

/** The server of DATABASE_URL; without one, the embedded server's binaries. */
export const databaseCheck: Check = {
  subject: DATABASE,
  look: async ({ env, dataDir }: Circumstances) =>
    env.DATABASE_URL ? [await external(env.DATABASE_URL, env)] : [await embedded(env, dataDir)],
};

async function external(given: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  let pool: Pool | undefined;
  try {
    const url = withSchema(given, env);
    pool = createPool(url, { applicationName: 'tocsin doctor', max: 1 });
    await requireConnection(pool, url);
    const { rows } = await pool.query<{ server_version: string }>('show server_version');
    const where = `PostgreSQL ${rows[0]?.server_version} at ${addressOf(url)}, schema ${schemaOf(url)}`;
    const state = await schemaState(pool);
    if (state !== 'newer') return ok(DATABASE, `${where}; ${SCHEMA[state]}`);
    return problem(
      DATABASE,
      `${where}; set up by a newer version of Tocsin`,
      'Update Tocsin here, or use another database.',
    );
  } catch (error) {
    return problem(DATABASE, messageOf(error), hintOf(error, 'Check DATABASE_URL.'));
  } finally {
    await pool?.end();
  }
}

async function embedded(env: NodeJS.ProcessEnv, dataDir: string | undefined): Promise<Finding> {
  try {
    const { version } = await findBinaries();
    return ok(
      DATABASE,
      `embedded PostgreSQL ${version} in ${dataDir ?? defaultDataDir(env)} (DATABASE_URL is unset)`,
    );
  } catch (error) {
    return problem(DATABASE, messageOf(error), hintOf(error, 'Set DATABASE_URL to a PostgreSQL server.'));
  }
}

const QUEUE = 'queue';

/** The server of REDIS_URL. */
export const queueCheck: Check = {
  subject: QUEUE,
  look: async ({ env }) => {
    const url = redisUrlOf(env);
    if (!url) return [ok(QUEUE, 'in Postgres (REDIS_URL is unset)')];
    try {
      return [judgeRedis(await inspectRedis(url))];
    } catch (error) {
      return [problem(QUEUE, messageOf(error), hintOf(error, 'Check REDIS_URL.'))];
    }
  },
};

export function judgeRedis({ server, evictionPolicy, persistent }: RedisFacts): Finding {
  if (evictionPolicy !== 'noeviction') {
    return problem(
      QUEUE,
      `${server} evicts keys when it is full (maxmemory-policy ${evictionPolicy})`,
      'A queue needs noeviction: redis-cli config set maxmemory-policy noeviction, and in its configuration.',
    );
  }
  if (!persistent) {
    return note(
      QUEUE,
      `${server}, noeviction; not persistent, by its configuration`,
      'No work is lost, because Postgres has it, but after a restart it must be queued again: set appendonly yes.',
    );
  }
  return ok(QUEUE, `${server}, noeviction, persistent`);
}
