import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';
import { ApiError } from './api-error.js';

/** Smaller bodies are parsed at once: their turn would cost more than they do. */
const SMALL_BYTES = 4 * 1024;

/**
 * Bounds the JSON bodies in memory, from before they are read until they are answered, in all and for each client. A
 * client without any is let in whatever its body holds, unless the room of all is taken: so no key is refused for ever.
 * Bodies are taken apart one after another, with the event loop in between.
 */
export class BodyRoom {
  readonly #limits: Limits;
  readonly #clients = new Map<string, number>();
  #all = 0;
  #turns: Promise<void> = Promise.resolve();

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** Bytes of all clients. */
  get bytes(): number {
    return this.#all;
  }

  /**
   * Counts the body of a request until it is answered.
   * @throws ApiError (429) when there is no room for it
   */
  enter(client: string, request: FastifyRequest, reply: FastifyReply): void {
    const bytes = bytesOf(request, this.#limits.bodyBytes);
    if (bytes === 0) return;
    const before = this.#clients.get(client) ?? 0;
    const { pendingBodyBytes: ofAll, pendingBodyBytesPerKey: ofKey } = this.#limits;
    if (before > 0 && before + bytes > ofKey) throw noRoom(`${before} bytes of this key`, ofKey);
    if (this.#all > 0 && this.#all + bytes > ofAll) throw noRoom(`${this.#all} bytes`, ofAll);
    this.#add(client, bytes);
    reply.raw.once('close', () => this.#add(client, -bytes));
  }

  /** Resolves when a body of so many bytes may be taken apart. */
  turn(bytes: number): Promise<void> | undefined {
    if (bytes < SMALL_BYTES) return undefined;
    this.#turns = this.#turns.then(() => new Promise((resolve) => setImmediate(resolve)));
    return this.#turns;
  }

  #add(client: string, bytes: number): void {
    this.#all += bytes;
    const now = (this.#clients.get(client) ?? 0) + bytes;
    if (now > 0) this.#clients.set(client, now);
    else this.#clients.delete(client);
  }
}

/** For all routes that are added to `app` after this, once the request is authenticated. */
export function boundBodies(app: App, room: BodyRoom): void {
  app.addHook('onRequest', async (request, reply) => {
    room.enter(request.who?.keyId ?? request.ip, request, reply);
  });
}

/** Uploads go to the disk as they come: 0. A body of unknown length counts as the longest. */
function bytesOf({ headers }: FastifyRequest, most: number): number {
  if (headers['content-type']?.startsWith('multipart/') === true) return 0;
  if (headers['transfer-encoding'] !== undefined) return most;
  return Math.min(Number(headers['content-length'] ?? 0), most);
}

const noRoom = (what: string, limit: number): ApiError =>
  new ApiError(429, `too many request bodies: ${what} are pending, and ${limit} may be`, {
    hint: 'Wait as long as retry-after says. Score many texts as a run or a batch instead.',
    retryAfter: 1,
  });
