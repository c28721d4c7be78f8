import type { Environment } from '../cache/cache-directory.js';
import type { LockTiming } from '../cache/scratch-lock.js';
import type { ModelEvent, TransferredBytes } from '../resolve/sources.js';
import { CachedRepo } from './hub-cache.js';
import { HubConnection } from './hub-connection.js';
import { hubSettings } from './hub-settings.js';
import { RETRY_TIMING, type RetryTiming } from './retry.js';

export interface HubOptions {
  env?: Environment | undefined;
  onEvent?: ((event: ModelEvent) => void) | undefined;
  /** How far a download from the hub is, several times a second. */
  onBytes?: ((progress: TransferredBytes) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** How stubborn it is, and how long it believes in another process that gives no sign of life. */
  timing?: { retry?: RetryTiming; lock?: LockTiming } | undefined;
}

/** The hub as one call uses it: its settings, its cache, and a connection that is closed afterwards. */
export interface Hub {
  connection: HubConnection;
  retryTiming: RetryTiming;
  lockTiming: LockTiming | undefined;
  signal: AbortSignal | undefined;
  repo(name: string): CachedRepo;
  tell(event: ModelEvent): void;
  tellBytes(progress: TransferredBytes): void;
}

/** Runs `work` with the hub. Nothing is asked of the network unless `work` does. */
export async function withHub<T>(options: HubOptions, work: (hub: Hub) => Promise<T>): Promise<T> {
  const settings = await hubSettings(options.env);
  const connection = new HubConnection(settings, options.signal);
  try {
    return await work({
      connection,
      retryTiming: options.timing?.retry ?? RETRY_TIMING,
      lockTiming: options.timing?.lock,
      signal: options.signal,
      repo: (name) => new CachedRepo(settings.cacheDir, name),
      tell: (event) => options.onEvent?.(event),
      tellBytes: (progress) => options.onBytes?.(progress),
    });
  } finally {
    await connection.close();
  }
}
