import type { ErrorCode } from '@tocsin/contract';
import { isUserError } from '@tocsin/core';

/** The code of each status that the API answers with when it does not succeed. */
export const CODE_OF_STATUS = {
  400: 'invalid_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'conflict',
  413: 'too_large',
  415: 'unsupported_media_type',
  422: 'unprocessable',
  429: 'rate_limited',
  500: 'internal',
  503: 'unavailable',
} as const satisfies Record<number, ErrorCode>;
export type ErrorStatus = keyof typeof CODE_OF_STATUS;

export interface ApiErrorOptions {
  /** What to do about it. */
  hint?: string;
  /** The field of the request that is at fault, e.g. `items.3.text`. */
  field?: string;
  cause?: unknown;
  /** Seconds after which it is worth another try. */
  retryAfter?: number;
}

/** An answer that is no success, and whose message is for who asked. */
export class ApiError extends Error {
  readonly status: ErrorStatus;
  readonly hint: string | undefined;
  readonly field: string | undefined;
  readonly retryAfter: number | undefined;

  constructor(status: ErrorStatus, message: string, options: ApiErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'ApiError';
    this.status = status;
    this.hint = options.hint;
    this.field = options.field;
    this.retryAfter = options.retryAfter;
  }

  get code(): ErrorCode {
    return CODE_OF_STATUS[this.status];
  }
}

/** What was asked for is not there, or not for who asks: the two are not told apart. */
export const notFound = (what: string, hint?: string): ApiError =>
  new ApiError(404, `there is no ${what}`, { hint });

/**
 * Does what may not go together with what is there.
 * @throws ApiError (409) in the words of the person's mistake that it is
 */
export async function conflictOr<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new ApiError(409, error.message, { hint: error.hint, cause: error });
  }
}
