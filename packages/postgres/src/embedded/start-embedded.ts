import { UserError } from '@tocsin/core';
import { type Binaries, findBinaries, reachableBinaries } from './binaries.js';
import { defaultDataDir, openDataDir } from './data-dir.js';
import { bringUp, type EmbeddedServer, HeldServer, type Plan } from './embedded-server.js';
import { addHolder, newHolder } from './holders.js';
import { withLock } from './lock.js';
import { shutDown } from './postmaster.js';
import { explained } from './server-log.js';

export interface EmbeddedOptions {
  /** A directory of our own, made if need be. Default: `defaultDataDir()`. */
  dataDir?: string;
  /** Default: the port of the last start if free, else a free one. */
  port?: number;
  /** PostgreSQL settings over `SERVER_SETTINGS`. They take effect when this call starts the server, not when it joins one. */
  settings?: Readonly<Record<string, string>> & { readonly port?: never };
  /** Told what happens, one line at a time. */
  log?: (line: string) => void;
  /** Default: those that npm installed. */
  binaries?: Binaries;
}

/**
 * A real PostgreSQL with the database `tocsin`, on a directory: made at first use, joined when it runs already
 * (started by another process, or left behind by one that was killed), else started. Safe when many processes do
 * this at once. Every caller must `stop()`; the last one to do so stops the server.
 * @throws {UserError} with what to do, when the server cannot be had
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
    throw new UserError(`The port for PostgreSQL must be a whole number from 1 to 65535, not ${port}.`);
  }
  const path = options.dataDir ?? defaultDataDir();
  const log = options.log ?? (() => undefined);
  return explained(path, async () => {
    const found = options.binaries ?? (await findBinaries());
    const dir = await openDataDir(path);
    const binaries = await reachableBinaries(found, dir.user, { log });
    const plan: Plan = { dir, binaries, port, settings: options.settings ?? {}, log };
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
