// cspell:ignore begun
/** For the tests of this folder: directories that leave nothing behind, and other processes that use them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import type { DataDir } from './data-dir.js';
import { findPostmaster, shutDown } from './postmaster.js';
import { isRoot, type ServerUser } from './server-user.js';
import type { EmbeddedOptions } from './start-embedded.js';

/** An ordinary user for when the tests run as root. */
export const NOBODY: ServerUser = { uid: 65_534, gid: 65_534 };

/** A `DataDir` on `path` as ourselves. */
export function plainDir(path: string): DataDir {
  return {
    path,
    data: join(path, 'data'),
    logFile: join(path, 'postgres.log'),
    user: undefined,
    owner: undefined,
  };
}

export class TestBed {
  readonly #roots: string[] = [];
  readonly #tenants: Tenant[] = [];
  readonly #dataDirs: string[] = [];

  /** A new directory that everyone may pass. */
  async directory(owner?: ServerUser): Promise<string> {
    const root = await mkdtemp(join(tmpdir(), 'tocsin-embedded-'));
    this.#roots.push(root);
    await chmod(root, 0o755);
    if (owner !== undefined && isRoot()) await chown(root, owner.uid, owner.gid);
    return root;
  }

  /** A data directory that does not exist yet; its server is stopped at the end of the test. */
  async dataDir(...names: string[]): Promise<string> {
    const path = join(await this.directory(), ...(names.length === 0 ? ['postgres'] : names));
    this.#dataDirs.push(path);
    return path;
  }

  /** Another process that starts the server. As root with `user`: one that gives up root first. */
  tenant(options: EmbeddedOptions, extra: { user?: ServerUser; env?: NodeJS.ProcessEnv } = {}): Tenant {
    if (options.dataDir !== undefined) this.#dataDirs.push(options.dataDir);
    const tenant = new Tenant(options, isRoot() ? extra.user : undefined, extra.env ?? process.env);
    this.#tenants.push(tenant);
    return tenant;
  }

  async clear(): Promise<void> {
    for (const tenant of this.#tenants.splice(0)) await tenant.kill();
    for (const path of this.#dataDirs.splice(0)) {
      const dir = plainDir(path);
      const server = await findPostmaster(dir);
      if (server !== undefined) await shutDown(dir, server);
    }
    for (const root of this.#roots.splice(0)) await rm(root, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What a tenant tells once it has the server, or why it has none. */
export interface Told {
  url: string;
  pid: number;
  started: boolean;
  dataDir: string;
  uid: number;
}

/** The built code, as a process cannot run TypeScript: `npm test` builds first. */
const BUILT = new URL('../../dist/embedded/', import.meta.url);

const SCRIPT = `
const { startEmbedded } = await import(process.argv[1] + 'start-embedded.js');
const { findBinaries, reachableBinaries } = await import(process.argv[1] + 'binaries.js');
const { options, user } = JSON.parse(process.argv[2]);
const say = (what) => console.log(JSON.stringify(what));
process.on('SIGINT', () => say({ signal: 'SIGINT' }));
try {
  const binaries = await reachableBinaries(await findBinaries(), user);
  if (user) { process.setgroups([]); process.setgid(user.gid); process.setuid(user.uid); }
  say({ begun: true });
  const server = await startEmbedded({ ...options, binaries });
  const { url, pid, started, dataDir } = server;
  process.stdin.once('data', async () => { await server.stop(); process.exit(0); });
  say({ url, pid, started, dataDir, uid: process.getuid() });
} catch (error) {
  say({ name: error.name, message: error.message, hint: error.hint });
  process.exit(1);
}
`;

export class Tenant {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(options: EmbeddedOptions, user: ServerUser | undefined, env: NodeJS.ProcessEnv) {
    const what = JSON.stringify({ options, user });
    // A session of its own, like a command in a terminal: signals can be sent to its whole group.
    this.#child = spawn(process.execPath, ['--input-type=module', '-e', SCRIPT, BUILT.href, what], {
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
      env,
    });
    if (this.#child.stdout === null) throw new Error('no stdout');
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('not spawned');
    return this.#child.pid;
  }

  /** The next thing it says. */
  async next(): Promise<Record<string, unknown>> {
    const line = await this.#lines.next();
    if (line.done) throw new Error('the tenant has ended');
    return JSON.parse(line.value);
  }

  /** Once it is about to call `startEmbedded`. */
  async begun(): Promise<void> {
    await this.next();
  }

  /** Once it has the server (or said why not). */
  async told(): Promise<Told & { name?: string; message?: string; hint?: string }> {
    let said = await this.next();
    while ('begun' in said) said = await this.next();
    return said as unknown as Told;
  }

  signalGroup(signal: NodeJS.Signals): void {
    process.kill(-this.pid, signal);
  }

  signal(signal: NodeJS.Signals): void {
    process.kill(this.pid, signal);
  }

  /** Lets it stop the server, in its way, and end. */
  async stop(): Promise<void> {
    this.#child.stdin?.write('stop\n');
    await this.#end();
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#end();
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
  }
}

/** The first column of the first row. */
export async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const { rows } = await client.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0];
  } finally {
    await client.end();
  }
}
