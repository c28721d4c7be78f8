import type { ErrorBody } from '@tocsin/contract/openai';
import type { RequestFault } from '@tocsin/corpus';
import type { FastifyReply } from 'fastify';
import type { App } from '../app.js';
import { toApiError } from '../http/answer-errors.js';
import type { ApiError, ErrorStatus } from '../http/api-error.js';
import { logFailure } from '../http/connections.js';

/** Error responses of these routes have OpenAI's shape: `{error: {message, type, param, code}}`. */
export function answerErrors(app: App): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = thrown instanceof OpenaiError ? thrown : toApiError(thrown);
    logFailure(request, thrown, error);
    return send(reply, error);
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const message = `there is no ${request.method} ${path.slice(0, 200)}`;
    return send(reply, new OpenaiError({ message, status: 404, code: 'unknown_url', param: null }));
  });
}

function send(reply: FastifyReply, error: OpenaiError | ApiError): FastifyReply {
  const refusal = error instanceof OpenaiError ? error : inOpenaiWords(error);
  if (refusal.retry !== undefined) reply.header('x-should-retry', String(refusal.retry));
  if ('retryAfter' in error && error.retryAfter !== undefined) {
    reply.header('retry-after', String(error.retryAfter));
  }
  if (refusal.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(refusal.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(bodyOf(refusal));
}

/** OpenAI's error codes; errors without one use the native API's code. */
const CODE_OF: Partial<Record<ErrorStatus, string>> = {
  400: 'invalid_value',
  401: 'invalid_api_key',
  403: 'insufficient_permissions',
  422: 'invalid_value',
  429: 'rate_limit_exceeded',
};

function inOpenaiWords(error: ApiError): OpenaiError {
  const message = error.hint === undefined ? error.message : `${error.message}. ${error.hint}`;
  const status = error.status === 422 ? 400 : error.status;
  return new OpenaiError({
    message,
    status,
    code: CODE_OF[error.status] ?? error.code,
    param: error.field ?? null,
  });
}

function bodyOf({ status, message, param, code }: OpenaiError): ErrorBody {
  return { error: { message, type: typeOf(status), param, code } };
}

function typeOf(status: number): string {
  if (status >= 500) return 'server_error';
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error';
}

/** An error in OpenAI's terms, which their clients map to exceptions. */
export class OpenaiError extends Error {
  /** HTTP status. */
  readonly status: number;
  readonly code: string | null;
  /** The invalid parameter. */
  readonly param: string | null;
  /** Tells clients whether to retry, where the status alone would mislead them. */
  readonly retry: boolean | undefined;

  constructor(
    { message, status, code, param }: RequestFault & { status: number },
    options: { retry?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'OpenaiError';
    this.status = status;
    this.code = code;
    this.param = param;
    this.retry = options.retry;
  }
}

/** 400: an invalid parameter. */
export function invalid(message: string, param: string | null, code = 'invalid_value'): OpenaiError {
  return new OpenaiError({ message, status: 400, code, param });
}

/** 404: the resource does not exist, or belongs to another key. */
export function notFound(message: string, param: string | null, code: string | null = null): OpenaiError {
  return new OpenaiError({ message, status: 404, code, param });
}

/** 409: not possible in the current state. An immediate retry would fail again. */
export function conflict(message: string): OpenaiError {
  return new OpenaiError({ message, status: 409, code: 'conflict', param: null }, { retry: false });
}
