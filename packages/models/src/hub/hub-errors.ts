import type { ProxyServer } from './proxy.js';

/** The hub answered, and its answer is no. */
export class HubResponseError extends Error {
  readonly url: string;
  readonly status: number;
  /** `X-Error-Code`: GatedRepo, RepoNotFound, RevisionNotFound, EntryNotFound, ... */
  readonly code: string | undefined;
  /** What the hub says in words. */
  readonly words: string;
  /** `Retry-After` in milliseconds. */
  readonly retryAfter: number | undefined;

  constructor(url: string, response: { status: number; headers: Headers }, body: string) {
    const words = wordsOf(response.headers, body);
    super(`${url} answered ${response.status}${words === '' ? '' : `: ${words}`}`);
    this.name = 'HubResponseError';
    this.url = url;
    this.status = response.status;
    this.code = response.headers.get('x-error-code') ?? undefined;
    this.words = words;
    this.retryAfter = retryAfterOf(response.headers.get('retry-after'));
  }
}

/** There was no answer, or it broke off. */
export class HubNetworkError extends Error {
  readonly url: string;
  /** What it was asked through. */
  readonly proxy: ProxyServer | undefined;
  /** Node's or undici's, e.g. ECONNRESET; `CUT` for a body that was shorter than it should be. */
  readonly code: string | undefined;

  constructor(
    url: string,
    reason: string,
    more: { code?: string | undefined; proxy?: ProxyServer | undefined; cause?: unknown },
  ) {
    super(reason, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HubNetworkError';
    this.url = url;
    this.proxy = more.proxy;
    this.code = more.code;
  }
}

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** A connection that stood and broke. (Where none came about, asking again at once is of no use.) */
const BROKEN = new Set([
  'CUT',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'UND_ERR_SOCKET',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** True when the same request may well succeed in a moment. */
export function isPassing(error: unknown): boolean {
  if (error instanceof HubResponseError) return PASSING.has(error.status);
  return error instanceof HubNetworkError && BROKEN.has(error.code ?? '');
}

/** True when the hub could not be asked at all, so that what the cache holds may stand in. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof HubResponseError) return PASSING.has(error.status);
  return error instanceof HubNetworkError && !isRefusedByProxy(error);
}

/** undici has no code of its own for this. */
export function isRefusedByProxy(error: unknown): boolean {
  return error instanceof HubNetworkError && /^Proxy response/.test(error.message);
}

const SHOWN_CHARACTERS = 300;

function wordsOf(headers: Headers, body: string): string {
  const said = headers.get('x-error-message') ?? errorField(body) ?? '';
  return said.replace(/\s+/g, ' ').trim().slice(0, SHOWN_CHARACTERS);
}

function errorField(body: string): string | undefined {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? error : undefined;
  } catch {
    // An HTML page of some proxy or gateway: its words are of no use in a line of text.
    return undefined;
  }
}

/** Seconds, or a date. */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : undefined;
}
