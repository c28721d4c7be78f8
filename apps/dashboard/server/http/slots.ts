import type { FastifyReply, FastifyRequest } from 'fastify';
import { clientOf } from '../access/who.js';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';
import { ApiError } from './api-error.js';
import { untilGone } from './client-gone.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The answer is a file that is made or read for as long as the client takes it. */
    download?: boolean;
  }
}

/** More of one key than any page or script has waiting. */
const MOST_WAITING = 500;

/**
 * Bounds the requests of a key that are under way at once: so one key never holds all connections to the database. For all
 * routes that are added to `app` after this, once the request is authenticated. Scoring and uploads have bounds of their own.
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
  /** What the slots are for, in the plural: `exports`. */
  what: string;
  /** Of one client. */
  perKey: number;
  /** Of all clients; a client that waits for a slot of its own is not counted. */
  all: number;
  /** Requests of one client that may wait until one of its own slots is free. */
  waitingPerKey: number;
  /** Seconds after which a client that was refused may try again. */
  retryAfter: number;
}

interface Client {
  taken: number;
  /** Who waits for a slot, in order; those that have left are taken out. */
  waiting: Set<() => void>;
}

/** Bounds requests that are under way at once, for each client and in all. */
class Slots {
  readonly #limits: SlotLimits;
  readonly #clients = new Map<string, Client>();
  #taken = 0;

  constructor(limits: SlotLimits) {
    this.#limits = limits;
  }

  /**
   * Resolves when the client has a slot. It is free again when the answer is over, or the connection.
   * @throws ApiError (429) when there is none to wait for
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
    // Who left while it waited has the slot, too, and gives it back at once.
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

/** @throws the reason of a client that leaves */
function waitIn(waiting: Client['waiting'], reply: FastifyReply): Promise<void> {
  return new Promise((resolve, reject) => {
    waiting.add(resolve);
    const gone = untilGone(reply);
    gone.addEventListener('abort', () => {
      if (waiting.delete(resolve)) reject(gone.reason);
    });
  });
}
