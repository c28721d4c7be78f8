import { codeOf } from '@tocsin/core';
import type { FastifyBaseLogger } from 'fastify';
import type { App } from '../app.js';

/** Fields of an error that may be logged: a database's `detail` can quote a row, and an HTTP client's error a body. */
export function loggedError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { error: String(error) };
  const { name, message, stack, cause } = error;
  return {
    error: name,
    message,
    code: codeOf(error),
    stack,
    ...(cause !== undefined && { cause: loggedError(cause) }),
  };
}

/** Redacted in case a request or its headers are ever logged. */
const SECRETS = ['req.headers', 'headers.authorization', 'headers.cookie', 'headers["set-cookie"]'];

export function withoutSecrets(log: FastifyBaseLogger): FastifyBaseLogger {
  return log.child({}, { redact: SECRETS });
}

/** One log line per request: route and caller, but no URL, which may contain search terms. */
export function logRequests(app: App): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions, who } = request;
    const { statusCode, elapsedTime } = reply;
    const looked = statusCode < 400 && (method === 'GET' || method === 'HEAD');
    request.log[looked ? 'debug' : 'info'](
      { method, route: routeOptions.url, status: statusCode, ms: Math.round(elapsedTime), who: who?.name },
      'request',
    );
  });
}
