import { codeOf } from '@tocsin/core';

/** What a log may hold of an error: a database's `detail` can quote a row, and an HTTP client's error a body. */
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
