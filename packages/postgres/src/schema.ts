import { UserError } from '@tocsin/core';
import pg from 'pg';

const DEFAULT_SCHEMA = 'tocsin';
/** Lower case, so that quoted and unquoted names are equal; short enough for names derived from it (63 bytes). */
const NAME = /^(?!pg_)[a-z_][a-z0-9_]{0,47}$/;
const NOT_ITS_OWN = ['public', 'information_schema'];
const PARAMETER = /([?&])schema=([^&#]*)(&?)/;

/**
 * The schema of Tocsin's tables.
 * @param url of a database; `?schema=name` names the schema, and node-postgres must not see it (`withoutSchema`)
 * @throws UserError for a name that Tocsin cannot use
 */
export function schemaOf(url: string): string {
  const [, , given] = PARAMETER.exec(url) ?? [];
  return given === undefined ? DEFAULT_SCHEMA : checked(given, '?schema= in DATABASE_URL');
}

/**
 * The URL with the schema of `TOCSIN_SCHEMA`, unless the URL names one itself.
 * @throws UserError for a name that Tocsin cannot use
 */
export function withSchema(url: string, { TOCSIN_SCHEMA: schema }: NodeJS.ProcessEnv): string {
  if (!schema || PARAMETER.test(url)) return url;
  return `${url}${url.includes('?') ? '&' : '?'}schema=${checked(schema, 'TOCSIN_SCHEMA')}`;
}

/** The URL without its schema, for node-postgres. */
export function withoutSchema(url: string): string {
  return url.replace(PARAMETER, (_all, before: string, _name, more: string) => (more === '' ? '' : before));
}

function checked(name: string, where: string): string {
  if (NAME.test(name) && !NOT_ITS_OWN.includes(name)) return name;
  throw new UserError(`${where} names no schema that Tocsin can have for itself: ${JSON.stringify(name)}`, {
    hint: 'Use up to 48 lower-case letters, digits and underscores, not beginning with a digit or pg_, and not public.',
  });
}

interface Queryable {
  query(sql: string, values?: unknown[]): Promise<{ rows: unknown[] }>;
}

/** Run on every new connection. A statement, because PgBouncer rejects `options` in the startup packet. */
export const useSchema = (schema: string): string => `set search_path = ${pg.escapeIdentifier(schema)}`;

/** The schema of a connection made by `createPool`, whether it exists or not. */
export async function currentSchema(client: Queryable): Promise<string> {
  const { rows } = await client.query(`select (parse_ident(current_setting('search_path')))[1] as name`);
  return (rows[0] as { name: string }).name;
}

/** Purposes of advisory locks, in one place so that no two share a key by mistake. */
type LockName =
  /** One process creates the tables, or brings them up to date. */
  | 'migrate'
  /** One process creates the queue's schema. */
  | 'migrate queue'
  /** One process of each guard leads. */
  | 'leader'
  /** One process ranks a run. */
  | 'ranking'
  /** One process prepares ended runs. */
  | 'prepare';

/**
 * SQL for the key of an advisory lock. Locks are per database, so the schema is a part of the key: two Tocsins in one
 * database do not wait for each other.
 * @param of SQL for the locked object, where the purpose does not identify it, e.g. `$1`
 */
export function lockKey(name: LockName, of?: string): string {
  const text = `current_setting('search_path') || '/${name}${of === undefined ? "'" : `/' || ${of}::text`}`;
  return `hashtextextended(${text}, 0)`;
}

/**
 * Whether a schema exists.
 * @param all the schemas that Tocsin needs, for the message
 * @throws UserError with the statements to run, when this user may not create the schema, or tables in it
 */
export async function lookAtSchema(
  client: Queryable,
  schema: string,
  all: readonly string[],
): Promise<boolean> {
  const { rows } = await client.query(
    `select to_regnamespace($1) is not null as there, current_user as who, current_database() as database,
            has_database_privilege(current_database(), 'create') as "mayCreate",
            has_schema_privilege(to_regnamespace($1)::oid, 'create')
              and has_schema_privilege(to_regnamespace($1)::oid, 'usage') as "mayFill"`,
    [pg.escapeIdentifier(schema)],
  );
  const found = rows[0] as {
    there: boolean;
    who: string;
    database: string;
    mayCreate: boolean;
    mayFill: boolean | null;
  };
  const who = pg.escapeIdentifier(found.who);
  if (found.there && found.mayFill !== true) {
    throw new UserError(`the user ${who} may not create tables in the schema ${schema}`, {
      hint: `Let the schema's owner run: GRANT ALL ON SCHEMA ${all.join(', ')} TO ${who};`,
    });
  }
  if (!found.there && !found.mayCreate) {
    const database = pg.escapeIdentifier(found.database);
    const create = all.map((name) => `CREATE SCHEMA ${name} AUTHORIZATION ${who};`).join(' ');
    throw new UserError(`the user ${who} may not create the schema ${schema} in the database ${database}`, {
      hint: `Let the database's owner run: GRANT CREATE ON DATABASE ${database} TO ${who}; or create the schemas: ${create}`,
    });
  }
  return found.there;
}

/**
 * Creates a schema unless it exists. `create schema if not exists` is no substitute: it needs the right to create one
 * even if the schema exists. Parameters and errors as in `lookAtSchema`.
 */
export async function createSchema(client: Queryable, schema: string, all: readonly string[]): Promise<void> {
  if (await lookAtSchema(client, schema, all)) return;
  await client.query(`create schema ${pg.escapeIdentifier(schema)}`);
}

/** The schema of BullMQ's tables, when the queue is in Postgres. */
export const queueSchemaOf = (schema: string): string => `${schema}_queue`;
