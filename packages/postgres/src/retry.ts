import { channel } from 'node:diagnostics_channel';
import { codeOf, isUserError, UserError } from '@tocsin/core';
import pRetry from 'p-retry';

/** Postgres and network errors after which the same statement may succeed. */
const TRANSIENT = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOENT', // a Unix socket whose server is starting
  '08000', // connection exceptions
  '08001',
  '08003',
  '08004',
  '08006',
  '40001', // serialization failure
  '40P01', // deadlock
  '53100', // the disk is full: space may be freed
  '53200', // out of memory
  '53300', // too many connections
  '57P01', // the server shuts down
  '57P02', // the server crashed
  '57P03', // the server is starting
]);
/** node-postgres has no code for a connection that ends under a query. */
const TRANSIENT_MESSAGE =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|Query read timeout)/;

const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2_000;
/** Default of TOCSIN_RETRY_SECONDS. */
const GIVE_UP_AFTER_SECONDS = 120;

/** Emits each repeated statement's error, for metrics. */
const repeated = channel('tocsin:database-retry');

/** Maximum nesting of errors: Drizzle wraps errors of node-postgres, which may be aggregates. */
const DEEPEST = 8;

/**
 * True for an error that a retry may resolve: a restart of the server, a conflict of two transactions. Looks through `cause`
 * and aggregates.
 */
export function isTransient(error: unknown, depth = 0): boolean {
  if (depth > DEEPEST) return false;
  const code = codeOf(error);
  if (code !== undefined && TRANSIENT.has(code)) return true;
  if (!(error instanceof Error) || isUserError(error)) return false;
  if (TRANSIENT_MESSAGE.test(error.message)) return true;
  const inner: unknown[] = error instanceof AggregateError ? [error.cause, ...error.errors] : [error.cause];
  return inner.some((one) => isTransient(one, depth + 1));
}

function giveUpAfterMs({ TOCSIN_RETRY_SECONDS: given }: NodeJS.ProcessEnv): number {
  const seconds = given ? Number(given) : GIVE_UP_AFTER_SECONDS;
  if (seconds >= 0) return seconds * 1000;
  throw new UserError(`TOCSIN_RETRY_SECONDS is ${given}, which is no number of seconds`, {
    hint: `Give one, or unset it: the default is ${GIVE_UP_AFTER_SECONDS}.`,
  });
}

/**
 * Runs `work` until it succeeds, while its errors are transient. `work` must be safe to run twice: after a broken
 * connection, the statement may or may not have been executed.
 */
export function withRetry<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  return pRetry(work, {
    retries: Number.POSITIVE_INFINITY,
    minTimeout: FIRST_WAIT_MS,
    maxTimeout: LONGEST_WAIT_MS,
    maxRetryTime: giveUpAfterMs(process.env),
    randomize: true,
    shouldRetry: ({ error }) => {
      const again = isTransient(error);
      if (again) repeated.publish(error);
      return again;
    },
    signal,
  });
}
