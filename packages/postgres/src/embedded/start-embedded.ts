import { UserError } from '@tocsin/core';
import { type Binaries, findBinaries, reachableBinaries } from './binaries.js';
import { defaultDataDir, explained, openDataDir } from './data-dir.js';
import { ensureDatabase, initialiseOnce, passwordOf, urlFor } from './database.js';
import { joinRunning, type LaunchOptions, lastLines, launch, readLog } from './launch.js';
import { addHolder, type Holder, newHolder, otherHolders, removeHolder, watch, withLock } from './lock.js';
import { endsWithin, findPostmaster, type Postmaster, shutDown } from './postmaster.js';
import { rememberPort, SECOND } from './settings.js';

export interface EmbeddedOptions {
  /** Data directory, created if missing. Default: `defaultDataDir()`. */
  dataDir?: string;
  /** Default: the port of the last start if free, else a free one. */
  port?: number;
  /** PostgreSQL settings over `SERVER_SETTINGS`. They take effect when this call starts the server, not when it joins one. */
  settings?: Readonly<Record<string, string>> & { readonly port?: never };
  /** Called with one line per event. */
  log?: (line: string) => void;
  /** Default: those installed by npm. */
  binaries?: Binaries;
}

/**
 * A PostgreSQL server with the database `tocsin` in a data directory. The directory is created at first use. A running
 * server (of another process, or left behind by a killed one) is joined; otherwise one is started. Safe to call from many
 * processes at once. Every caller must `stop()`; the last one stops the server.
 * @throws {UserError} when the server cannot be started or used
 *
 * @example
 * const server = await startEmbedded({ dataDir: './postgres' });
 * const pool = new pg.Pool({ connectionString: server.url });
 * // ...
 * await pool.end();
 * await server.stop();
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<EmbeddedServer> {
  const { port } = options;
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new UserError(`the port of PostgreSQL must be a whole number from 1 to 65535, not ${port}`);
  }
  const path = options.dataDir ?? defaultDataDir();
  const log = options.log ?? (() => undefined);
  return explained(path, async () => {
    const found = options.binaries ?? (await findBinaries());
    const dir = await openDataDir(path);
    const binaries = await reachableBinaries(found, dir.user, { log });
    const plan: LaunchOptions = { dir, binaries, port, settings: options.settings ?? {}, log };
    const holder = await newHolder();
    const start = async () => {
      const up = await bringUp(plan);
      try {
        await addHolder(dir, holder);
      } catch (error) {
        if (up.started) await shutDown(dir, up.server);
        throw error;
      }
      return up;
    };
    const { server, url, started } = await withLock(dir, start, { log });
    return new HeldServer(plan, holder, server, url, started);
  });
}

/** A PostgreSQL server shared by all Tocsin processes that use its data directory. */
export interface EmbeddedServer {
  /** URL with the password, for any PostgreSQL client. It does not change. */
  readonly url: string;
  readonly port: number;
  /** Process id of the server; changes when `ensureRunning` restarts it. */
  readonly pid: number;
  readonly dataDir: string;
  readonly logFile: string;
  /** False if a running server was joined. */
  readonly started: boolean;
  /**
   * Calls `listener` within half a second when the server ends without `stop`; the error contains the end of its log.
   * Connections of pools break at the same time. `ensureRunning` starts watching again.
   * @returns a function that removes the listener
   */
  onExit(listener: (error: UserError) => void): () => void;
  /** Restarts the server on the same port if it has ended. */
  ensureRunning(): Promise<void>;
  /**
   * Leaves the server. The last process to leave stops it (fast shutdown: open transactions are rolled back) and
   * waits until it has ended. Close your connections first. Signals to this process, Ctrl-C included, do not reach the
   * server, so it is safe to call this after the last commit.
   */
  stop(): Promise<void>;
}

/** Joins or starts the server, and checks that it can be used. Called under the lock. */
async function bringUp(plan: LaunchOptions): Promise<{ server: Postmaster; url: string; started: boolean }> {
  const { dir, log } = plan;
  await initialiseOnce(dir, plan.binaries, log);
  const password = await passwordOf(dir);
  const running = await joinRunning(dir, log);
  if (running !== undefined) refuseOtherPort(plan, running);
  const server = running ?? (await launch(plan));
  try {
    await rememberPort(dir, server.port);
    await ensureDatabase(dir, server.port, password);
  } catch (error) {
    if (running === undefined) await shutDown(dir, server);
    // The server was ending when it was joined: a killed process closes its connections before it is gone.
    else if (await endsWithin(server, SECOND)) return bringUp(plan);
    throw error;
  }
  const verb = running === undefined ? 'started' : 'joined';
  log(`${verb} PostgreSQL in ${dir.path}: process ${server.pid}, port ${server.port}`);
  return { server, url: urlFor(server.port, password), started: running === undefined };
}

function refuseOtherPort(plan: LaunchOptions, server: Postmaster): void {
  if (plan.port === undefined || plan.port === server.port) return;
  throw new UserError(
    `PostgreSQL runs in ${plan.dir.path} already, on port ${server.port} and not ${plan.port}`,
    {
      hint: 'Leave the port out to join it, or end the other Tocsin processes first.',
    },
  );
}

/** One holder's handle of the server. */
class HeldServer implements EmbeddedServer {
  readonly url: string;
  readonly started: boolean;
  readonly port: number;
  readonly #plan: LaunchOptions;
  readonly #holder: Holder;
  #server: Postmaster;
  readonly #listeners = new Set<(error: UserError) => void>();
  #unwatch: () => void;
  #reviving: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(plan: LaunchOptions, holder: Holder, server: Postmaster, url: string, started: boolean) {
    this.#plan = plan;
    this.#holder = holder;
    this.#server = server;
    this.url = url;
    this.started = started;
    this.port = server.port;
    this.#unwatch = this.#watch();
  }

  get pid(): number {
    return this.#server.pid;
  }

  get dataDir(): string {
    return this.#plan.dir.path;
  }

  get logFile(): string {
    return this.#plan.dir.logFile;
  }

  onExit(listener: (error: UserError) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  ensureRunning(): Promise<void> {
    if (this.#stopped !== undefined) return Promise.reject(new Error('ensureRunning() after stop()'));
    this.#reviving ??= this.#revive().finally(() => {
      this.#reviving = undefined;
    });
    return this.#reviving;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#leave();
    return this.#stopped;
  }

  #watch(): () => void {
    const { pid, identity } = this.#server;
    return watch(identity, () => void this.#notify(pid));
  }

  async #notify(pid: number): Promise<void> {
    const log = await readLog(this.#plan.dir, 0).catch(() => '(the log cannot be read)');
    const error = new UserError(
      `PostgreSQL in ${this.dataDir} (process ${pid}) has ended. The end of its log:\n${lastLines(log)}`,
      { hint: `The whole log is ${this.logFile}.` },
    );
    for (const listener of this.#listeners) listener(error);
  }

  async #revive(): Promise<void> {
    const { dir, log } = this.#plan;
    const plan = { ...this.#plan, port: this.port };
    const work = () => withLock(dir, () => bringUp(plan), { log });
    const { server } = await explained(dir.path, work);
    this.#unwatch();
    this.#server = server;
    this.#unwatch = this.#watch();
  }

  async #leave(): Promise<void> {
    const { dir, log } = this.#plan;
    await this.#reviving?.catch(() => undefined);
    this.#unwatch();
    const work = async () => {
      const others = await otherHolders(dir, this.#holder);
      if (others > 0) log(`left PostgreSQL in ${dir.path} running for ${others} more`);
      else await this.#end();
      // After the server's end: on a full disk this fails, and must not keep the server running.
      await removeHolder(dir, this.#holder);
    };
    await explained(dir.path, () => withLock(dir, work, { log }));
  }

  async #end(): Promise<void> {
    const { dir, log } = this.#plan;
    const server = await findPostmaster(dir);
    if (server === undefined) return;
    await shutDown(dir, server);
    log(`stopped PostgreSQL in ${dir.path}`);
  }
}
