import type { ErrorBody } from '@tocsin/contract';
import type { FastifyReply } from 'fastify';
import type { App } from '../app.js';
import { type ApiError, notFound } from './api-error.js';
import { logFailure } from './client-gone.js';
import { toApiError } from './to-api-error.js';

/** Every answer that is no success has one shape: `{error: {message, hint?, code, field?}}`. */
export function answerErrors(app: App): void {
  app.setErrorHandler((thrown, request, reply) => {
    const error = toApiError(thrown);
    logFailure(request, thrown, error);
    return sendError(reply, error);
  });
}

export function sendError(reply: FastifyReply, error: ApiError): FastifyReply {
  if (error.retryAfter !== undefined) reply.header('retry-after', String(error.retryAfter));
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  return reply
    .code(error.status)
    .type('application/json; charset=utf-8')
    .serializer(JSON.stringify)
    .send(errorBodyOf(error));
}

function errorBodyOf({ message, hint, code, field }: ApiError): ErrorBody {
  return {
    error: {
      message,
      hint,
      code,
      field,
    },
  };
}

/** For a path that no route has. */
export const noSuchRoute = (method: string): ApiError =>
  notFound(`${method} route at this address`, 'What there is: /api/reference');
