import { addressOf, checkServerUrl, explainServer, isUserError, messageOf, UserError } from '@tocsin/core';
import {
  cancelWhenInterrupted,
  createSchema,
  lockKey,
  queueSchemaOf,
  schemaOf,
  useSchema,
  withoutSchema,
} from '@tocsin/postgres';
import {
  type createPostgresBackend as BackendFactory,
  PostgresConnection,
  type PostgresConnectionOptions,
  PostgresQueueBackend,
  runMigrations,
} from 'bullmq';
import pg from 'pg';

/** For statements, and one that listens. */
const POOL_MAX = 5;
/** BullMQ's log of events in Redis is trimmed by BullMQ; in Postgres it would grow for ever. Nothing reads it. */
const EVENTS_KEPT_MS = 60 * 60_000;

export function postgresOptions(url: string, interrupted?: AbortSignal) {
  const schema = queueSchemaOf(schemaOf(url));
  return {
    connectionString: withoutSchema(url),
    application_name: 'tocsin queue',
    max: POOL_MAX,
    keepAlive: true,
    schema,
    interrupted,
    // What a power cut takes out of the queue is put back, so no dispatch has to wait for the disk.
    onConnect: (client: pg.ClientBase) => client.query(`${useSchema(schema)}; set synchronous_commit = off`),
  };
}

/** BullMQ looks for the tables of a pool that it is given in the schema `bullmq`. */
class SchemaConnection extends PostgresConnection {
  override readonly schema: string;

  constructor(pool: PostgresConnectionOptions, schema: string) {
    super(pool);
    this.schema = schema;
  }
}

/** BullMQ's backend over a pool of our own, which ends with it: the pool that BullMQ makes sends `options`. */
export const createPostgresBackend: typeof BackendFactory = (name, opts, factoryOpts) => {
  const { schema, interrupted, ...config } = opts.connection as ReturnType<typeof postgresOptions>;
  const pool = new pg.Pool(config);
  if (interrupted !== undefined) cancelWhenInterrupted(pool, interrupted);
  // Its type of a pool is a subset of what pg's has, which TypeScript does not see through pg's overloads.
  const connection = new SchemaConnection(pool as unknown as PostgresConnectionOptions, schema);
  // A connection that waits for jobs is called after its queue in pg_stat_activity, as BullMQ does it.
  const waiting = factoryOpts?.withBlockingConnection === true ? name : undefined;
  const backend = new PostgresQueueBackend(connection, name, opts, true, waiting);
  let ended: Promise<void> | undefined;
  const endPool = (): Promise<void> => (ended ??= pool.end());
  const close = backend.close.bind(backend);
  backend.close = async (...args) => {
    await close(...args);
    await endPool();
  };
  const disconnect = backend.disconnect.bind(backend);
  backend.disconnect = async (...args) => {
    await disconnect(...args);
    await endPool();
  };
  return backend;
};

/**
 * Creates or updates BullMQ's tables.
 * @param interrupted cancels a statement that waits
 * @throws UserError, without the password, when that fails
 */
export async function migrateQueueTables(url: string, interrupted?: AbortSignal): Promise<void> {
  checkServerUrl('DATABASE_URL', url);
  const schema = schemaOf(url);
  const pool = new pg.Pool({
    connectionString: withoutSchema(url),
    application_name: 'tocsin queue',
    max: 1,
  });
  if (interrupted !== undefined) cancelWhenInterrupted(pool, interrupted);
  // A connection that breaks fails the query under way; unheard, its event would end the process as well.
  pool.on('error', () => {});
  pool.on('connect', (client) => client.on('error', () => {}));
  try {
    const client = await pool.connect();
    try {
      await migrate(client, schema);
    } finally {
      // With whatever is left of a transaction.
      client.release(true);
    }
  } catch (cause) {
    if (isUserError(cause)) throw cause;
    const { why, todo } = explainServer(cause) ?? { why: messageOf(cause), todo: undefined };
    throw new UserError(`the queue's tables in Postgres at ${addressOf(url)} cannot be set up: ${why}`, {
      hint: todo,
      cause,
    });
  } finally {
    await pool.end();
  }
}

/** @param schema of Tocsin's tables */
async function migrate(client: pg.PoolClient, schema: string): Promise<void> {
  const queueSchema = queueSchemaOf(schema);
  await client.query(useSchema(queueSchema));
  await client.query('begin');
  await client.query(`select pg_advisory_xact_lock(${lockKey('migrate queue')})`);
  await createSchema(client, queueSchema, [schema, queueSchema]);
  await client.query('commit');
  await runMigrations(
    {
      query: (text, values) =>
        client.query<never>({ text: unlessCreated(text), values: values as unknown[] }),
    },
    queueSchema,
  );
  await client.query(`delete from ${queueSchema}.event where created_at_ms < $1`, [
    Date.now() - EVENTS_KEPT_MS,
  ]);
}

/** BullMQ's `create schema if not exists` needs the right to create one even where it exists, as it does by now. */
const unlessCreated = (statement: string): string =>
  statement.startsWith('CREATE SCHEMA') ? 'select' : statement;
