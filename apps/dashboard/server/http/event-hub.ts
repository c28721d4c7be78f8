import { type Channel, createChannel, createSession } from 'better-sse';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

/** Connections that receive the same server-sent events. */
export class EventHub {
  readonly #channel: Channel = createChannel();
  readonly #replies = new Set<FastifyReply>();
  #over = false;

  /** Starts an event stream on this response. Headers set earlier are sent with it. */
  async join(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // The session builds a URL from both; after `hijack` an error could not be answered any more.
    if (!URL.canParse(request.raw.url ?? '', `http://${request.headers.host ?? ''}`)) {
      throw new ApiError(400, 'the header Host cannot be read');
    }
    // Without a body, Node sends the headers only when the response ends, which an event stream never does.
    if (request.method === 'HEAD') {
      await reply.type('text/event-stream').send();
      return;
    }
    reply.hijack();
    const set = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]);
    // nginx would buffer the events.
    const headers = { ...Object.fromEntries(set), 'x-accel-buffering': 'no' };
    // A client that disconnected earlier emits no close event: its session, timer and listener would leak.
    if (reply.raw.destroyed) return;
    const session = await createSession(request.raw, reply.raw, { headers }).catch((error: unknown) => {
      // Otherwise the connection would stay open without a response.
      reply.raw.destroy();
      throw error;
    });
    if (this.#over) {
      reply.raw.end();
      return;
    }
    this.#channel.register(session);
    this.#replies.add(reply);
    session.once('disconnected', () => this.#replies.delete(reply));
  }

  get listeners(): number {
    return this.#replies.size;
  }

  send(event: string, data: unknown): void {
    this.#channel.broadcast(data, event);
  }

  /** Ends every connection after flushing its events. */
  end(): void {
    this.#over = true;
    for (const reply of this.#replies) reply.raw.end();
    this.#replies.clear();
  }
}
