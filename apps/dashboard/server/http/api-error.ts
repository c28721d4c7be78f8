import type { ErrorCode } from '@tocsin/contract';
import { isUserError } from '@tocsin/core';

/** The code of each error status of the API. */
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
  /** The invalid field of the request, e.g. `items.3.text`. */
  field?: string;
  cause?: unknown;
  /** Seconds after which a retry makes sense. */
  retryAfter?: number;
}

/** An error response whose message is meant for the client. */
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

/** 404 for a resource that does not exist or that the caller may not see: the two are indistinguishable. */
export const notFound = (what: string, hint?: string): ApiError =>
  new ApiError(404, `there is no ${what}`, { hint });

/**
 * Runs a change, and turns its UserError into a conflict.
 * @throws ApiError (409) with the message of the UserError
 */
export async function conflictOr<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new ApiError(409, error.message, { hint: error.hint, cause: error });
  }
}
