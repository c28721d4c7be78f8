import { randomBytes } from 'node:crypto';
import { lchown, mkdtemp, readdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf, UserError } from '@tocsin/core';
import pg from 'pg';
import { type Binaries, majorVersion } from './binaries.js';
import { type DataDir, readOwn, syncDirectory, writeOwn } from './data-dir.js';
import { runAs } from './launch.js';
import { DATABASE, HOST, PATIENCE } from './settings.js';

/** URL of the server with its password. */
export function urlFor(port: number, password: string, database: string = DATABASE): string {
  return `postgres://${DATABASE}:${password}@${HOST}:${port}/${database}`;
}

/**
 * Checks that the server on `port` serves this directory and accepts the password, and creates the database if missing.
 * @throws {UserError} when the server cannot be used
 */
export async function ensureDatabase(dir: DataDir, port: number, password: string): Promise<void> {
  const client = new pg.Client({
    connectionString: urlFor(port, password, 'postgres'),
    application_name: 'tocsin start',
    connectionTimeoutMillis: PATIENCE.connect,
  });
  // A lost connection fails the current or the next query; without a listener, its event would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await checkDirectory(client, dir);
    await createOnce(client);
  } catch (cause) {
    throw new UserError(`PostgreSQL runs in ${dir.path}, but cannot be used: ${messageOf(cause)}`, {
      hint:
        codeOf(cause) === '28P01'
          ? 'The file password in it does not match the database. Restore the file, or choose another directory with --data-dir or TOCSIN_DATA.'
          : `Look at ${dir.logFile}.`,
      cause,
    });
  } finally {
    await client.end();
  }
}

async function checkDirectory(client: pg.Client, dir: DataDir): Promise<void> {
  const { rows } = await client.query<{ data_directory: string }>('show data_directory');
  const served = rows[0]?.data_directory ?? '';
  if (served !== dir.data && (await realpath(served)) !== dir.data) {
    throw new Error(`the server serves ${served}, not ${dir.data}`);
  }
}

async function createOnce(client: pg.Client): Promise<void> {
  const { rowCount } = await client.query('select from pg_database where datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`create database ${DATABASE}`);
}

const SCRATCH = 'data.new-';

/**
 * Creates PostgreSQL's data directory if missing: under another name, then renamed, so that an interrupted first start
 * leaves only a scratch directory, which the next start removes. Called under the lock.
 * @throws {UserError} when initdb fails, or the directory is of another major version or not PostgreSQL's
 */
export async function initialiseOnce(
  dir: DataDir,
  binaries: Binaries,
  log: (line: string) => void,
): Promise<void> {
  const version = await clusterVersion(dir);
  if (version === undefined) {
    log(`initialising PostgreSQL ${majorVersion(binaries)} in ${dir.path}`);
    await removeScratch(dir);
    await initialise(dir, binaries);
  } else if (version !== majorVersion(binaries)) {
    throw new UserError(
      `${dir.data} was made by PostgreSQL ${version}, and this version of Tocsin brings ${majorVersion(binaries)}`,
      {
        hint: `Choose another directory with --data-dir or TOCSIN_DATA, or run PostgreSQL ${version} on it yourself and set DATABASE_URL.`,
      },
    );
  }
}

/** The password of the server's user, created at the first call. */
export async function passwordOf(dir: DataDir): Promise<string> {
  const kept = await readOwn(dir, 'password');
  if (kept !== '') return kept;
  if ((await clusterVersion(dir)) !== undefined) {
    throw new UserError(
      `the file ${join(dir.path, 'password')}, with the password of the embedded database, is missing or empty`,
      {
        hint: 'Restore it, or choose another directory with --data-dir or TOCSIN_DATA.',
      },
    );
  }
  const password = randomBytes(24).toString('base64url');
  await writeOwn(dir, 'password', password);
  return password;
}

async function clusterVersion(dir: DataDir): Promise<string | undefined> {
  try {
    return (await readFile(join(dir.data, 'PG_VERSION'), 'utf8')).trim();
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  if (!(await readdir(dir.path)).includes('data')) return undefined;
  throw new UserError(`${dir.data} is no PostgreSQL data directory: it has no file PG_VERSION`, {
    hint: 'Restore a backup, or move the directory away, or choose another one with --data-dir or TOCSIN_DATA.',
  });
}

async function initialise(dir: DataDir, binaries: Binaries): Promise<void> {
  const password = await passwordOf(dir);
  const scratch = await mkdtemp(join(dir.path, SCRATCH));
  try {
    const passwordFile = join(scratch, 'password');
    await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' });
    if (dir.user !== undefined) {
      await lchown(passwordFile, dir.user.uid, dir.user.gid);
      await lchown(scratch, dir.user.uid, dir.user.gid);
    }
    await initdb(dir, binaries, join(scratch, 'data'), passwordFile);
    await rename(join(scratch, 'data'), dir.data);
    await syncDirectory(dir.path);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

async function initdb(dir: DataDir, binaries: Binaries, data: string, passwordFile: string): Promise<void> {
  const child = await runAs(
    dir,
    join(binaries.home, 'bin', 'initdb'),
    [
      `--pgdata=${data}`,
      `--username=${DATABASE}`,
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      // Sorts text in the same order on every machine and C library.
      '--encoding=UTF8',
      '--locale=C',
      '--locale-provider=builtin',
      '--builtin-locale=C.UTF-8',
      '--data-checksums',
      '--no-instructions',
    ],
    ['ignore', 'pipe', 'pipe'],
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.once('close', (...how) => resolve(how));
  });
  if (code === 0) return;
  throw new UserError(
    `PostgreSQL could not be initialised in ${dir.path}: initdb ended with ${signal ?? code}.\n${output.trim().split('\n').slice(-8).join('\n')}`,
    { hint: 'Choose another directory with --data-dir or TOCSIN_DATA, or set DATABASE_URL.' },
  );
}

/** Removes scratch directories of interrupted starts. Retries, because their initdb may still be writing. */
async function removeScratch(dir: DataDir): Promise<void> {
  for (const name of await readdir(dir.path)) {
    if (!name.startsWith(SCRATCH)) continue;
    await rm(join(dir.path, name), { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }
}
