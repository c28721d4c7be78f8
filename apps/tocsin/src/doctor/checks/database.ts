import { addressOf, messageOf } from '@tocsin/core';
import {
  createPool,
  defaultDataDir,
  findBinaries,
  type Pool,
  requireConnection,
  schemaOf,
  withSchema,
} from '@tocsin/postgres';
import { type SchemaState, schemaState } from '@tocsin/store';
import type { Check, Circumstances } from '../checkup.js';
import { type Finding, ok, problem } from '../finding.js';
import { hintOf } from './hint-of.js';

const SUBJECT = 'database';
const SCHEMA: Record<Exclude<SchemaState, 'newer'>, string> = {
  none: 'no tables yet: the first command creates them',
  older: 'tables of an older version: the next command brings them up to date',
  current: 'tables are up to date',
};

/** The server that DATABASE_URL names; else what the embedded one is made of. */
export const databaseCheck: Check = {
  subject: SUBJECT,
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
    if (state !== 'newer') return ok(SUBJECT, `${where}; ${SCHEMA[state]}`);
    return problem(
      SUBJECT,
      `${where}; set up by a newer version of Tocsin`,
      'Update Tocsin here, or use another database.',
    );
  } catch (error) {
    return problem(SUBJECT, messageOf(error), hintOf(error, 'Check DATABASE_URL.'));
  } finally {
    await pool?.end();
  }
}

async function embedded(env: NodeJS.ProcessEnv, dataDir: string | undefined): Promise<Finding> {
  try {
    const { version } = await findBinaries();
    return ok(
      SUBJECT,
      `embedded PostgreSQL ${version} in ${dataDir ?? defaultDataDir(env)} (DATABASE_URL is unset)`,
    );
  } catch (error) {
    return problem(SUBJECT, messageOf(error), hintOf(error, 'Set DATABASE_URL to a PostgreSQL server.'));
  }
}
