import type { FastifyReply } from 'fastify';

/** Aborts when who asked is gone before the answer was sent: nobody needs it any more. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort(new Error('the client is gone'));
  });
  return gone.signal;
}
