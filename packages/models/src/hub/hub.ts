import { codeOf, messageOf } from '@tocsin/core';
import { type Dispatcher, fetch as undiciFetch } from 'undici';
import type { Environment } from '../cache/cache-directory.js';
import type { LockTiming } from '../cache/scratch-lock.js';
import type { ModelEvent, TransferredBytes } from '../resolve/sources.js';
import { CachedRepo } from './hub-cache.js';
import { HubNetworkError, HubResponseError } from './hub-errors.js';
import { type HubSettings, hubSettings } from './hub-settings.js';
import { dispatcherOf, proxyFor } from './proxy.js';
import { RETRY_TIMING, type RetryTiming } from './retry.js';

export interface HubOptions {
  env?: Environment;
  onEvent?: (event: ModelEvent) => void;
  /** Progress of downloads, several times a second. */
  onBytes?: (progress: TransferredBytes) => void;
  signal?: AbortSignal;
  /** Retry policy, and lock timing. */
  timing?: { retry?: RetryTiming; lock?: LockTiming };
}

/** The hub during one call: settings, cache, and a connection that is closed afterwards. */
export interface Hub {
  connection: HubConnection;
  retryTiming: RetryTiming;
  lockTiming: LockTiming | undefined;
  signal: AbortSignal | undefined;
  repo(name: string): CachedRepo;
  tell(event: ModelEvent): void;
  tellBytes(progress: TransferredBytes): void;
}

/** Runs `work` with the hub. Makes no request by itself. */
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

/**
 * Requests to the hub through the proxy and with the token; throws for every error status. Connects at the first request.
 */
export class HubConnection {
  readonly settings: HubSettings;
  readonly #signal: AbortSignal | undefined;
  #dispatcher: Dispatcher | undefined;

  constructor(settings: HubSettings, signal?: AbortSignal) {
    this.settings = settings;
    this.#signal = signal;
  }

  /**
   * `fetch` for this hub, also for `@huggingface/hub`. The token only goes to the endpoint: it is added to requests of
   * that origin, and fetch removes it on redirects to another. (The client's own `accessToken` must begin with `hf_`,
   * which a mirror's need not.)
   *
   * @throws HubResponseError for an error status, HubNetworkError without an answer, the signal's reason
   */
  readonly fetch: typeof globalThis.fetch = async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    const headers = new Headers(init?.headers);
    const { endpoint, token } = this.settings;
    if (token !== undefined && new URL(url).origin === new URL(endpoint).origin) {
      headers.set('authorization', `Bearer ${token.value}`);
    }
    headers.set('user-agent', 'tocsin');
    const response = await this.#send(url, { ...init, headers });
    if (response.ok) return response;
    throw new HubResponseError(url, response, await this.#reading(url, response.text()));
  };

  /** Like `fetch`, but reads the whole (short) body, so that a truncated one is a HubNetworkError here. */
  readonly fetchWhole: typeof globalThis.fetch = async (input, init) => {
    const response = await this.fetch(input, init);
    const url = input instanceof Request ? input.url : String(input);
    const body = await this.#reading(url, response.arrayBuffer());
    return new Response(body, { status: response.status, headers: response.headers });
  };

  /** The chunks of a body. @throws HubNetworkError when it is truncated */
  async *chunksOf(url: string, response: Response): AsyncGenerator<Uint8Array> {
    if (response.body === null) return;
    const reader = response.body.getReader();
    try {
      for (;;) {
        const { done, value } = await this.#reading(url, reader.read());
        if (done) return;
        yield value;
      }
    } finally {
      // The consumer stopped early; a truncated body has nothing to cancel.
      await reader.cancel().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #send(url: string, init: RequestInit & { headers: Headers }): Promise<Response> {
    this.#dispatcher ??= dispatcherOf(this.settings.env);
    const options = { ...init, dispatcher: this.#dispatcher, signal: this.#signal ?? null };
    // undici's types and Node's copies of them are declared separately.
    const request = options as unknown as Parameters<typeof undiciFetch>[1];
    return (await this.#reading(url, undiciFetch(url, request))) as unknown as Response;
  }

  async #reading<T>(url: string, answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (cause) {
      this.#signal?.throwIfAborted();
      const inner = innermost(cause);
      throw new HubNetworkError(url, messageOf(inner) || messageOf(cause), {
        code: codeOf(inner),
        proxy: proxyFor(new URL(url), this.settings.env),
        cause,
      });
    }
  }
}

/** fetch only says "fetch failed" or "terminated"; the real error is its cause, or the cause's cause. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}

/** Whether the hub accepts the token: `unknown` when a mirror does not say. */
export type TokenState = 'none' | 'accepted' | 'refused' | 'unknown';

const UNAUTHORIZED = new Set([401, 403]);

/**
 * Checks whether the hub answers, and whether it accepts the token.
 * @throws HubNetworkError when there is no answer, the signal's reason when aborted
 */
export async function reachHub(settings: HubSettings, signal?: AbortSignal): Promise<TokenState> {
  const connection = new HubConnection(settings, signal);
  try {
    await connection.fetchWhole(`${settings.endpoint}/api/whoami-v2`);
    return settings.token === undefined ? 'none' : 'accepted';
  } catch (error) {
    // Any status is an answer.
    if (!(error instanceof HubResponseError)) throw error;
    if (settings.token === undefined) return 'none';
    return UNAUTHORIZED.has(error.status) ? 'refused' : 'unknown';
  } finally {
    await connection.close();
  }
}
