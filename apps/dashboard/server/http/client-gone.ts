import { explainServer } from '@tocsin/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { loggedError } from './log.js';

/** The client disconnected before the response was complete. */
class ClientGoneError extends Error {
  constructor() {
    super('the client has gone');
    this.name = 'ClientGoneError';
  }
}

/** Aborts when the client disconnects before the response is complete. */
export function untilGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableEnded) gone.abort(new ClientGoneError());
  });
  return gone.signal;
}

/** Logs server errors. A disconnected client is not one. */
export function logFailure(request: FastifyRequest, thrown: unknown, { status }: { status: number }): void {
  if (thrown instanceof ClientGoneError || request.raw.socket.destroyed) {
    request.log.debug(
      { reason: thrown instanceof Error ? thrown.message : String(thrown) },
      'the client has gone',
    );
  } else if (status >= 500) {
    const { why, todo } = explainServer(thrown) ?? {};
    request.log.error({ ...loggedError(thrown), why, todo }, 'request failed');
  }
}
