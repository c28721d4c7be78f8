import { type Channel, createChannel, createSession } from 'better-sse';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from './api-error.js';

/** Connections that hear the same events, as server-sent events. */
export class EventHub {
  readonly #channel: Channel = createChannel();
  readonly #replies = new Set<FastifyReply>();
  #over = false;

  /** Answers with events from here on. The headers that were set before go with them. */
  async join(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    // The session makes an address of both, and after `hijack` nobody would answer that it cannot.
    if (!URL.canParse(request.raw.url ?? '', `http://${request.headers.host ?? ''}`)) {
      throw new ApiError(400, 'the header Host cannot be read');
    }
    // Events never end by themselves, and Node sends the head of an answer without a body when it ends.
    if (request.method === 'HEAD') {
      await reply.type('text/event-stream').send();
      return;
    }
    reply.hijack();
    const set = Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]);
    // nginx would keep events back.
    const headers = { ...Object.fromEntries(set), 'x-accel-buffering': 'no' };
    // Who left before this would never be noticed to leave: the session, its timer and its listener would stay for ever.
    if (reply.raw.destroyed) return;
    const session = await createSession(request.raw, reply.raw, { headers }).catch((error: unknown) => {
      // Else the connection would stay open, without an answer, for ever.
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

  /** Ends every connection, once all that was sent is on its way. */
  end(): void {
    this.#over = true;
    for (const reply of this.#replies) reply.raw.end();
    this.#replies.clear();
  }
}
