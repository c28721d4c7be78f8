import type { RequestFault } from '@tocsin/corpus';

/** A refusal in OpenAI's terms: what their clients make exceptions of. */
export class OpenaiError extends Error {
  /** HTTP. */
  readonly status: number;
  readonly code: string | null;
  /** The parameter that is at fault. */
  readonly param: string | null;
  /** Whether clients are to try again, where the status alone would tell them wrong. */
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

/** 400: a parameter that cannot be used. */
export function invalid(message: string, param: string | null, code = 'invalid_value'): OpenaiError {
  return new OpenaiError({ message, status: 400, code, param });
}

/** 404: there is no such thing, or it belongs to another key. */
export function notFound(message: string, param: string | null, code: string | null = null): OpenaiError {
  return new OpenaiError({ message, status: 404, code, param });
}

/** 409: not while things are as they are. Trying again at once would change nothing. */
export function conflict(message: string): OpenaiError {
  return new OpenaiError({ message, status: 409, code: 'conflict', param: null }, { retry: false });
}
