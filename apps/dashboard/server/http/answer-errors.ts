import type { ErrorBody } from '@tocsin/contract';
import { codeOf, explainServer, isUserError } from '@tocsin/core';
import { BusyError, ExpressTimeoutError } from '@tocsin/pipeline';
import { isTransient } from '@tocsin/postgres';
import type { FastifyError, FastifyReply } from 'fastify';
import { hasZodFastifySchemaValidationErrors } from 'fastify-type-provider-zod';
import type { App } from '../app.js';
import { ApiError, CODE_OF_STATUS, type ErrorStatus, notFound } from './api-error.js';
import { logFailure } from './connections.js';

/** Error responses all have the shape `{error: {message, hint?, code, field?}}`. */
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

/** For a path without a route. */
export const noSuchRoute = (method: string): ApiError =>
  notFound(`${method} route at this address`, 'What there is: /api/reference');

const RETRY_AFTER_SECONDS = 5;
/** Messages of @fastify/busboy for malformed bodies; its errors have no code. */
const BROKEN_MULTIPART = /multipart data$|^Multipart: Boundary not found$|^The needle cannot be/;
/** The multipart parser's errors have no codes for malformed bodies. */
const BROKEN_UPLOAD = /^Multipart: |^Boundary required|^The needle cannot|of multipart data$/;

/**
 * Maps a thrown error to a response. User errors keep their message; an internal error becomes a 500 without one, and the
 * caller logs it.
 */
export function toApiError(error: unknown): ApiError {
  if (error instanceof ApiError) return error;
  if (hasZodFastifySchemaValidationErrors(error)) return invalid(error);
  if (isUserError(error)) return new ApiError(422, error.message, { hint: error.hint, cause: error });
  if (error instanceof BusyError) {
    return new ApiError(429, error.message, {
      hint: 'Wait as long as retry-after says. Score many texts as a run or a batch instead.',
      cause: error,
      retryAfter: error.retryAfter,
    });
  }
  if (error instanceof ExpressTimeoutError) {
    return new ApiError(503, error.message, {
      hint: 'Start a worker for this guard: tocsin work --guard ... (or tocsin start).',
      cause: error,
      retryAfter: RETRY_AFTER_SECONDS,
    });
  }
  const refused = refusedByServer(error);
  if (refused !== undefined) return refused;
  if (isTransient(error)) {
    return new ApiError(503, 'the database does not answer', {
      cause: error,
      retryAfter: RETRY_AFTER_SECONDS,
    });
  }
  if (error instanceof Error && BROKEN_UPLOAD.test(error.message)) {
    return new ApiError(400, 'the multipart body cannot be read to its end', { cause: error });
  }
  if (error instanceof Error && codeOf(error) === undefined && BROKEN_MULTIPART.test(error.message)) {
    return new ApiError(400, `the multipart body cannot be read: ${lowerFirst(error.message)}`, {
      cause: error,
    });
  }
  // The original message repeats the URL, which may contain search terms.
  if (codeOf(error) === 'FST_ERR_BAD_URL') {
    return new ApiError(400, 'the URL is malformed: a % must be followed by two hex digits', {
      cause: error,
    });
  }
  const status = statusOf(error);
  if (status !== undefined && status < 500 && error instanceof Error) {
    return new ApiError(status, lowerFirst(error.message), { cause: error });
  }
  return new ApiError(500, 'this is a defect of the server; its log says more', { cause: error });
}

/**
 * SQLSTATEs of a database that is not set up for Tocsin: missing privileges, foreign tables. Retrying does not help.
 */
const NOT_SET_UP = /^42/;

/** Connection errors that an operator can fix. The server's message, with user and host names, goes to the log only. */
function refusedByServer(error: unknown): ApiError | undefined {
  const explained = explainServer(error);
  if (explained === undefined) return undefined;
  if (NOT_SET_UP.test(explained.code ?? '')) {
    return new ApiError(500, 'the database is not set up for this server; its log says what to do', {
      cause: error,
    });
  }
  const why = explained.why.replace(/ \([\s\S]*\)$/, '');
  return new ApiError(503, `a server that Tocsin uses refused: ${why}`, {
    hint: "An operator of this server finds the cause in its log and in the server's own.",
    cause: error,
    retryAfter: RETRY_AFTER_SECONDS,
  });
}

/** A message may repeat input, which may be megabytes. */
const MAX_MESSAGE = 500;
const cut = (text: string): string =>
  text.length <= MAX_MESSAGE ? text : `${text.slice(0, MAX_MESSAGE)}...`;

function invalid(error: FastifyError): ApiError {
  const { validation = [], validationContext = 'body' } = error;
  const [first] = validation;
  const path = (first?.instancePath ?? '').replace(/^\//, '').replaceAll('/', '.');
  const more = validation.length > 1 ? `, and ${validation.length - 1} more` : '';
  const where = path === '' ? `the ${NAME_OF[validationContext] ?? validationContext}` : path;
  return new ApiError(400, `${cut(`${where}: ${lowerFirst(first?.message ?? 'does not fit')}`)}${more}`, {
    field: path === '' ? undefined : path,
    hint: 'See /api/reference.',
    cause: error,
  });
}

const NAME_OF: Partial<Record<string, string>> = { querystring: 'query', params: 'address' };

/** Fastify and its plugins set `statusCode` on client errors. */
function statusOf(error: unknown): ErrorStatus | undefined {
  if (typeof error !== 'object' || error === null || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  if (codeOf(error)?.startsWith('FST_ERR_CTP_INVALID_MEDIA_TYPE') === true) return 415;
  if (typeof statusCode !== 'number' || statusCode < 400 || statusCode >= 500) return undefined;
  return statusCode in CODE_OF_STATUS ? (statusCode as ErrorStatus) : 400;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);
