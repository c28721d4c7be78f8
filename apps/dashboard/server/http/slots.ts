import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientOf } from '../access/who.js';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';
import { ApiError } from './api-error.js';
import { untilGone } from './connections.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The response is a file that is generated or read for as long as the client downloads it. */
    download?: boolean;
  }
}

/** More pending requests per key than any page or script has. */
const MOST_WAITING = 500;

/**
 * Bounds the concurrent requests of a key, so that one key never holds all database connections. Applies to all routes added
 * to `app` after this call, once the request is authenticated. Scoring and uploads have limits of their own.
 */
export function boundRequests(app: App, limits: Limits): void {
  const exports = new Slots({
    what: 'exports',
    all: limits.exports,
    perKey: limits.exportsPerKey,
    waitingPerKey: 0,
    retryAfter: 5,
  });
  const events = new Slots({
    what: 'event streams',
    all: limits.eventStreams,
    perKey: limits.eventStreamsPerKey,
    waitingPerKey: 0,
    retryAfter: 5,
  });
  const others = new Slots({
    what: 'requests',
    all: Number.POSITIVE_INFINITY,
    perKey: limits.requestsAtOncePerKey,
    waitingPerKey: MOST_WAITING,
    retryAfter: 1,
  });
  const slotsFor = (request: FastifyRequest): Slots | undefined => {
    const { config } = request.routeOptions;
    if (config.download === true) return exports;
    if (config.events === true) return events;
    return config.interactive === true || isUpload(request) ? undefined : others;
  };
  app.addHook('onRequest', async (request, reply) => {
    if (request.who !== undefined) await slotsFor(request)?.enter(clientOf(request), reply);
  });
}

const isUpload = ({ headers }: FastifyRequest): boolean =>
  headers['content-type']?.startsWith('multipart/') === true;

interface SlotLimits {
  /** What is limited, in the plural: `exports`. */
  what: string;
  /** Slots per client. */
  perKey: number;
  /** Slots of all clients; a client waiting for its own slot is not counted. */
  all: number;
  /** Requests of one client that may wait for one of its slots. */
  waitingPerKey: number;
  /** `Retry-After` of a refused request, in seconds. */
  retryAfter: number;
}

interface Client {
  taken: number;
  /** Waiting requests in order; disconnected ones are removed. */
  waiting: Set<() => void>;
}

/** Bounds concurrent requests, per client and in total. */
class Slots {
  readonly #limits: SlotLimits;
  readonly #clients = new Map<string, Client>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /**
   * Resolves when the client has a slot. It is released when the response or the connection ends.
   * @throws ApiError (429) when the queue is full
   */
  async enter(client: string, reply: FastifyReply): Promise<void> {
    const { what, perKey, all, waitingPerKey } = this.#limits;
    const of = this.#clients.get(client) ?? { taken: 0, waiting: new Set() };
    if (of.taken < perKey) {
      if (this.#taken >= all) throw this.#refusal(`${this.#taken} ${what} are under way, and ${all} may be`);
      this.#clients.set(client, of);
      of.taken += 1;
      this.#taken += 1;
    } else if (of.waiting.size < waitingPerKey) await waitIn(of.waiting, reply);
    else throw this.#refusal(`${of.taken} ${what} of this key are under way, and ${perKey} may be`);
    // A client that disconnected while waiting gets the slot too, and releases it immediately.
    if (reply.raw.destroyed) this.#leave(client, of);
    else reply.raw.once('close', () => this.#leave(client, of));
  }

  #leave(client: string, of: Client): void {
    const [next] = of.waiting;
    if (next !== undefined) {
      of.waiting.delete(next);
      next();
      return;
    }
    of.taken -= 1;
    this.#taken -= 1;
    if (of.taken === 0) this.#clients.delete(client);
  }

  #refusal(why: string): ApiError {
    const { what, retryAfter } = this.#limits;
    return new ApiError(429, `too many ${what}: ${why}`, {
      hint: 'Wait as long as retry-after says.',
      retryAfter,
    });
  }
}

/** @throws the reason of a client that disconnects */
function waitIn(waiting: Client['waiting'], reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => {
    waiting.add(resolve);
    const gone = untilGone(reply);
    gone.addEventListener('abort', () => {
      if (waiting.delete(resolve)) reject(gone.reason);
    });
  });
}
