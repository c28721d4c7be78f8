import { Socket } from 'node:net';
import { explainServer } from '@tocsin/core';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';
import { loggedError } from './log.js';

/** Minimum bytes per `slowBodySeconds`; a slower body is treated as stalled. */
const LEAST_BYTES_PER_SECOND = 1024;
/** Interval between log lines about refused connections. */
const LOG_EVERY_MS = 60_000;
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/**
 * Bounds the cost of a connection: how many may be open, and how long a body may take. A JSON body must arrive within
 * `slowBodySeconds`; an upload may take any time as long as it makes progress. Time during which the server does not read
 * (backpressure) is not counted.
 */
export function boundConnections(app: App, { connections, slowBodySeconds }: Limits): void {
  app.server.maxConnections = connections;
  let loggedAt = Number.NEGATIVE_INFINITY;
  app.server.on('drop', () => {
    if (performance.now() - loggedAt < LOG_EVERY_MS) return;
    loggedAt = performance.now();
    app.log.warn({ connections }, 'connections are refused: as many as may be are open');
  });
  app.addHook('onRequest', async (request, reply) => {
    // Node stops reading a connection that requests a protocol upgrade before its body is complete.
    if (request.headers.upgrade !== undefined) reply.header('connection', 'close');
    // `app.inject` requests have no connection.
    if (hasBody(request) && request.raw.socket instanceof Socket) watchBody(request, slowBodySeconds);
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** The timer runs until the body is complete, even if the response was sent earlier. */
function watchBody(request: FastifyRequest, seconds: number): void {
  const { raw } = request;
  const { socket } = raw;
  const isUpload = request.headers['content-type']?.startsWith('multipart/') === true;
  let before = socket.bytesRead;
  const watch = setInterval(() => {
    if (raw.complete || socket.destroyed) {
      clearInterval(watch);
      return;
    }
    const came = socket.bytesRead - before;
    before = socket.bytesRead;
    const unread = raw.readableLength > 0;
    if (unread || (isUpload && came >= seconds * LEAST_BYTES_PER_SECOND)) return;
    clearInterval(watch);
    request.log.debug({ route: request.routeOptions.url, seconds }, 'a body did not come in time');
    socket.write(TIMED_OUT);
    socket.destroySoon();
  }, seconds * 1000);
  watch.unref();
  // Counted per message: a keep-alive connection may carry thousands.
  raw.once('close', () => clearInterval(watch));
}

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
