import type { InfiniteData } from '@tanstack/preact-query';

/** A failed request: a message for people, and a hint. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** HTTP status; 0 without a response. */
  readonly status: number;
  readonly hint: string | undefined;
  readonly code: string | undefined;
  /** The invalid field of the request. */
  readonly field: string | undefined;

  constructor(status: number, message: string, more: { hint?: string; code?: string; field?: string } = {}) {
    super(message);
    this.status = status;
    this.hint = more.hint;
    this.code = more.code;
    this.field = more.field;
  }

  /** Whether the same request may succeed later. */
  get passing(): boolean {
    return this.status === 0 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** Whether the resource does not exist. */
export function isMissing(error: unknown): boolean {
  return error instanceof ApiError && error.status === 404;
}

/** No response: the server or the network is down. */
export function noAnswer(): ApiError {
  return new ApiError(0, 'The server does not answer.', {
    hint: 'Check that tocsin dashboard is still running. This page reconnects automatically.',
  });
}

/** The error of a failed response. @param body its text, JSON or not */
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
    // Answered by a proxy, not in JSON.
    return undefined;
  }
}

type Query = Record<string, string | number | boolean | null | undefined>;

interface RequestOptions {
  method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** Undefined and null parameters are omitted. */
  query?: Query;
  /** Sent as JSON. */
  body?: unknown;
  signal?: AbortSignal;
}

/** A URL under `/api`. */
export function address(path: string, query: Query = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return `/api${path}${text === '' ? '' : `?${text}`}`;
}

/**
 * Calls the API.
 * @returns the response; undefined when it has no content
 * @throws ApiError
 */
export async function request<T>(path: string, options: RequestOptions = {}): Promise<T> {
  const { method = 'GET', query, body, signal } = options;
  let response: Response;
  try {
    response = await fetch(address(path, query), {
      method,
      credentials: 'same-origin',
      signal,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    });
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === 'AbortError') throw cause;
    throw noAnswer();
  }
  const text = await response.text();
  if (!response.ok) throw errorOf(response.status, text);
  if (text === '') return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new ApiError(response.status, 'The server answered with something that is not JSON.', {
      hint: 'Is there a proxy between this page and tocsin dashboard?',
    });
  }
}

/**
 * Uploads a form with a file. XMLHttpRequest, because fetch reports no upload progress.
 * @param onProgress called with the share sent, in [0, 1]
 * @throws ApiError
 */
export function upload<T>(path: string, form: FormData, onProgress: (part: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const sender = new XMLHttpRequest();
    sender.open('POST', address(path));
    sender.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(loaded / total);
    };
    sender.onerror = () => reject(noAnswer());
    sender.onload = () => {
      if (sender.status >= 200 && sender.status < 300) resolve(JSON.parse(sender.responseText) as T);
      else reject(errorOf(sender.status, sender.responseText));
    };
    sender.send(form);
  });
}

/** The rows of all loaded pages, in order. */
export function rowsOf<Row>(pages: InfiniteData<{ data: Row[] }>): Row[] {
  return pages.pages.flatMap(({ data }) => data);
}
