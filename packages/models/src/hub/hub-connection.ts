import { codeOf, messageOf } from '@tocsin/core';
import { type Dispatcher, fetch as undiciFetch } from 'undici';
import { HubNetworkError, HubResponseError } from './hub-errors.js';
import type { HubSettings } from './hub-settings.js';
import { dispatcherOf, proxyFor } from './proxy.js';

/**
 * Requests to the hub: through the proxy, with the token, and with an error for every answer that is none. Nothing is
 * opened before the first request.
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
   * `fetch` for this hub, also for `@huggingface/hub`. The token goes to the endpoint and nowhere else: it is added here
   * to requests of that origin, and taken off by fetch's own rules when a redirect leads to another one. (The client's
   * own `accessToken` must begin with `hf_`, which a mirror's need not.)
   *
   * @throws HubResponseError for a status that is no success, HubNetworkError without an answer, the signal's reason
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

  /** The same for short answers: read whole, so that one that breaks off is a HubNetworkError here and now. */
  readonly fetchWhole: typeof globalThis.fetch = async (input, init) => {
    const response = await this.fetch(input, init);
    const url = input instanceof Request ? input.url : String(input);
    const body = await this.#reading(url, response.arrayBuffer());
    return new Response(body, { status: response.status, headers: response.headers });
  };

  /** The chunks of a body. @throws HubNetworkError when it breaks off */
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
      // Whoever stops early wants no more of it; a body that broke off has nothing to cancel.
      await reader.cancel().catch(() => undefined);
    }
  }

  async close(): Promise<void> {
    await this.#dispatcher?.destroy();
  }

  async #send(url: string, init: RequestInit & { headers: Headers }): Promise<Response> {
    this.#dispatcher ??= dispatcherOf(this.settings.env);
    const options = { ...init, dispatcher: this.#dispatcher, signal: this.#signal ?? null };
    // The same standard's types, declared twice: undici's own, and Node's copy of them.
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

/** fetch says "fetch failed" or "terminated"; what happened is the cause of that, or of its cause. */
function innermost(error: unknown): unknown {
  return error instanceof Error && error.cause !== undefined ? innermost(error.cause) : error;
}
