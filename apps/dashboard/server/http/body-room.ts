import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';
import { ApiError } from './api-error.js';

/** Smaller bodies are parsed immediately: queueing would cost more than parsing. */
const SMALL_BYTES = 4 * 1024;

/**
 * Bounds the JSON bodies in memory, in total and per client, from before they are read until their response is sent. A client
 * with no body in memory is admitted whatever the size, unless the total is reached, so that no client is locked out. Bodies
 * are parsed one at a time, yielding to the event loop in between.
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
   * Reserves memory for the body of a request until its response is sent.
   * @throws ApiError (429) when there is not enough
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

  /** Resolves when a body of this size may be parsed. */
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

/** Applies to all routes added to `app` after this call, once the request is authenticated. */
export function boundBodies(app: App, room: BodyRoom): void {
  app.addHook('onRequest', async (request, reply) => {
    room.enter(request.who?.keyId ?? request.ip, request, reply);
  });
}

/** 0 for uploads, which are streamed to disk. A body of unknown length counts as the longest. */
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
