import type { FastifyReply } from 'fastify';

/** Aborts when who asked has gone before the answer was: nobody waits for it any more. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort(new Error('the client has gone'));
  });
  return gone.signal;
}
