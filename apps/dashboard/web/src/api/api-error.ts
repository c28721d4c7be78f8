/** Why a request came to nothing: in words for a person, and what to do. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 when there was no answer at all. */
  readonly status: number;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  /** The field of the request that was wrong. */
  readonly field: string | undefined;

  constructor(status: number, message: string, more: { hint?: string; code?: string; field?: string } = {}) {
    super(message);
    this.status = status;
    this.hint = more.hint;
    this.code = more.code;
    this.field = more.field;
  }

  /** Whether the same request may work a moment later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** Whether what was asked for is not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** No answer: the process is gone, or the network is. */
export function noAnswer(): ApiError {
  return new ApiError(0, 'The server does not answer.', {
    hint: 'Check that tocsin dashboard still runs. This page goes on by itself when it does.',
  });
}

/** What an answer that is no success says. @param body its text, whatever it is */
export function errorOf(status: number, body: string): ApiError {
  const told = tellOf(body);
  if (told !== undefined) return new ApiError(status, told.message, told);
  const retry = status >= 500 ? 'Try again; the log of tocsin dashboard says more.' : undefined;
  return new ApiError(status, `The server answered ${status}.`, { hint: retry });
}

function tellOf(body: string): { message: string; hint?: string; code?: string; field?: string } | undefined {
  try {
    const parsed = JSON.parse(body) as { error?: { message?: unknown } } | null;
    const error = parsed?.error;
    return typeof error?.message === 'string' ? (error as { message: string }) : undefined;
  } catch {
    // Something between the page and the server answered, and not in JSON.
    return undefined;
  }
}
