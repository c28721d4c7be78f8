import { codeOf } from '@tocsin/core';
import type { FastifyBaseLogger } from 'fastify';

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
