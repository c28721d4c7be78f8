import { Socket } from 'node:net';
import type { FastifyRequest } from 'fastify';
import type { App } from '../app.js';
import type { Limits } from '../limits.js';

/** A body that comes at less than this, over `slowBodySeconds`, does not come. */
const LEAST_BYTES_PER_SECOND = 1024;
/** Refused connections are logged so often. */
const LOG_EVERY_MS = 60_000;
const TIMED_OUT = 'HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n';

/**
 * Bounds what a connection costs: how many there are, and how long a body may take. A JSON body has to be there within
 * `slowBodySeconds`; an upload may take as long as it likes, as long as it moves. Time in which we do not read is not the
 * client's.
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
    // Node stops reading a connection that asks for another protocol before its body is complete.
    if (request.headers.upgrade !== undefined) reply.header('connection', 'close');
    // A request of `app.inject` comes over no connection.
    if (hasBody(request) && request.raw.socket instanceof Socket) watchBody(request, slowBodySeconds);
  });
}

function hasBody({ headers }: FastifyRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** From now until the body is there, whatever has been answered meanwhile. */
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
  // Of the message, not of the connection, which may carry thousands of them.
  raw.once('close', () => clearInterval(watch));
}
