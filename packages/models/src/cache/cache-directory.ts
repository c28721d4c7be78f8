import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';

/** Environment variables, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Inputs of `cacheDirectory`. */
export interface CacheOptions {
  /** Takes precedence over everything else. */
  cacheDir?: string;
  /** Default: `process.env`. */
  env?: Environment;
  /** Default: `process.platform`. */
  platform?: NodeJS.Platform;
}

/**
 * The directory that holds what Tocsin fetched or compiled; it is not created here.
 *
 * In this order: `cacheDir`, `TOCSIN_CACHE`, `tocsin` in `XDG_CACHE_HOME`, the platform's own place (`~/.cache/tocsin`,
 * on macOS `~/Library/Caches/tocsin`, on Windows `%LOCALAPPDATA%\tocsin`). An empty variable counts as unset, and
 * so does a relative `XDG_CACHE_HOME`, as the XDG specification asks.
 * @returns an absolute path
 */
export function cacheDirectory(options: CacheOptions = {}): string {
  const { env = process.env, platform = process.platform } = options;
  if (options.cacheDir) return resolve(options.cacheDir);
  if (env.TOCSIN_CACHE) return resolve(env.TOCSIN_CACHE);
  if (env.XDG_CACHE_HOME && isAbsolute(env.XDG_CACHE_HOME)) return join(env.XDG_CACHE_HOME, 'tocsin');
  if (platform === 'win32') {
    return join(env.LOCALAPPDATA || join(env.USERPROFILE || homedir(), 'AppData', 'Local'), 'tocsin');
  }
  const home = env.HOME || homedir();
  return platform === 'darwin' ? join(home, 'Library', 'Caches', 'tocsin') : join(home, '.cache', 'tocsin');
}
