import { messageOf, redactUrls, UserError } from '@tocsin/core';
import type { HubSettings } from './hub-settings.js';
import type { ProxyServer } from './proxy.js';

/** The hub answered with an error. */
export class HubResponseError extends Error {
  readonly url: string;
  readonly status: number;
  /** `X-Error-Code`: GatedRepo, RepoNotFound, RevisionNotFound, EntryNotFound, ... */
  readonly code: string | undefined;
  /** The hub's own message. */
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

/** No answer, or an incomplete one. */
export class HubNetworkError extends Error {
  readonly url: string;
  /** The proxy in use. */
  readonly proxy: ProxyServer | undefined;
  /** Node's or undici's code, e.g. ECONNRESET; `CUT` for a truncated body. */
  readonly code: string | undefined;

  constructor(url: string, reason: string, more: { code?: string; proxy?: ProxyServer; cause?: unknown }) {
    super(reason, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'HubNetworkError';
    this.url = url;
    this.proxy = more.proxy;
    this.code = more.code;
  }
}

const PASSING = new Set([408, 425, 429, 500, 502, 503, 504]);
/** Codes of an established connection that broke. (Retrying at once does not help when none was established.) */
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

/** True when the same request may soon succeed. */
export function isPassing(error: unknown): boolean {
  if (error instanceof HubResponseError) return PASSING.has(error.status);
  return error instanceof HubNetworkError && BROKEN.has(error.code ?? '');
}

/** True when the hub is unreachable, so that the cache may be used instead. */
export function isUnreachable(error: unknown): boolean {
  if (error instanceof HubResponseError) return PASSING.has(error.status);
  return error instanceof HubNetworkError && !isRefusedByProxy(error);
}

/** undici has no code of its own for this. */
function isRefusedByProxy(error: unknown): boolean {
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
    // An HTML page of a proxy or gateway is useless in a message.
    return undefined;
  }
}

/** Seconds, or a date. */
function retryAfterOf(header: string | null): number | undefined {
  if (header === null) return undefined;
  const wait = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now();
  return Number.isFinite(wait) ? Math.max(wait, 0) : undefined;
}

/** The context of a failure. */
export interface Asked {
  repo: string;
  revision: string;
  /** Of the repository, when it was about one. */
  file?: string;
}

/** A failure of the hub as a UserError with the next step. Other errors (a full disk, a defect) are returned unchanged. */
export function explain(error: unknown, asked: Asked, settings: HubSettings): unknown {
  if (error instanceof HubNetworkError) return explainNetwork(error, asked, settings);
  if (error instanceof HubResponseError) return explainResponse(error, asked, settings);
  if (error instanceof SyntaxError || (error instanceof Error && /^malformed response/.test(error.message))) {
    return new UserError(
      `cannot fetch ${nameOf(asked)}: what ${settings.endpoint} answers is no hub's answer: ${error.message}`,
      {
        hint: 'Is HF_ENDPOINT the address of a hub, and does the network ask for a login in a browser first?',
        cause: error,
      },
    );
  }
  return error;
}

function explainResponse(error: HubResponseError, asked: Asked, settings: HubSettings): UserError {
  const [what, hint] = answerOf(error, asked, settings);
  return new UserError(`cannot fetch ${nameOf(asked)}: ${what}`, { hint, cause: error });
}

function answerOf(error: HubResponseError, asked: Asked, settings: HubSettings): [string, string] {
  const { endpoint, token } = settings;
  const { repo, revision, file } = asked;
  const { status, code } = error;
  const page = `${endpoint}/${repo}`;
  const newToken = `make a token at ${endpoint}/settings/tokens and set HF_TOKEN to it`;
  if (code === 'GatedRepo') {
    return token === undefined
      ? [
          'the repository is gated: its files are only for accounts that accepted its licence',
          `Accept the licence at ${page} with an account of the hub; then ${newToken}.`,
        ]
      : [
          `the repository is gated, and the account of the token in ${token.from} may not read it`,
          `Accept the licence at ${page} with that account (and wait when the owner approves by hand). A fine-grained ` +
            'token must also be allowed to read public gated repositories.',
        ];
  }
  if (code === 'RevisionNotFound') {
    return [`the repository has no revision ${revision}`, `Its branches and tags: ${page}/tree/main.`];
  }
  if (code === 'EntryNotFound') {
    return [
      `there is no file ${file ?? 'of that name'} at ${revision}`,
      `See ${page}/tree/${revision} for its files.`,
    ];
  }
  if (status === 401 && token !== undefined && code !== 'RepoNotFound') {
    return [
      `the hub does not accept the token in ${token.from}`,
      `It may have been revoked or cut off: ${newToken}, or unset it for repositories that are public.`,
    ];
  }
  if (code === 'RepoNotFound' || status === 401 || status === 404) {
    return [
      `${endpoint} has no repository ${repo}, or it is a private one`,
      token === undefined
        ? `Check the name. For a private repository ${newToken}.`
        : `Check the name, and that the account of the token in ${token.from} may read it.`,
    ];
  }
  if (status === 403) {
    return [
      `the hub refuses it (403${words(error)})`,
      `Open ${page} with the account ${token === undefined ? 'that you use' : `of the token in ${token.from}`}: the page shows what is missing.`,
    ];
  }
  if (status === 429) {
    const wait = error.retryAfter === undefined ? '' : ` for ${Math.ceil(error.retryAfter / 1000)} s`;
    return [
      `the hub asks to wait${wait}: too many requests from this address or account`,
      'Run the same command later; it resumes the download. A token (HF_TOKEN) allows more requests.',
    ];
  }
  return [`the hub answers ${status}${words(error)}`, 'Run the same command later; it resumes the download.'];
}

function explainNetwork(error: HubNetworkError, asked: Asked, settings: HubSettings): UserError {
  const host = new URL(error.url).host;
  const reason = redactUrls(messageOf(error));
  const resumeHint = 'Run the same command again when it works; it resumes the download.';
  const byHand = 'Or fetch it on a machine that can, and copy the directory that HF_HOME names there.';
  const { proxy } = error;
  if (proxy !== undefined) {
    const did = isRefusedByProxy(error) ? 'refuses the connection' : 'gives no connection';
    // Only its host: the URL may hold a password.
    return new UserError(
      `cannot fetch ${nameOf(asked)}: the proxy ${proxy.url.host} (${proxy.from}) ${did} to ${host}: ${reason}`,
      {
        hint: `Check ${proxy.from}, and the user and password in it if the proxy requires them; NO_PROXY=${new URL(error.url).hostname}  bypasses it. ${byHand}`,
        cause: error,
      },
    );
  }
  const certificate = /certificate|self.signed|CERT_/i.test(reason);
  return new UserError(`cannot fetch ${nameOf(asked)}: no connection to ${host}: ${reason}`, {
    hint: certificate
      ? 'A proxy that opens TLS connections? Name its certificate with NODE_EXTRA_CA_CERTS=<file.pem>.'
      : `Check the network${settings.env.HF_ENDPOINT ? ' and HF_ENDPOINT' : ''}; behind a proxy set HTTPS_PROXY. ${resumeHint} ${byHand}`,
    cause: error,
  });
}

function words(error: HubResponseError): string {
  return error.words === '' ? '' : `: ${redactUrls(error.words)}`;
}

function nameOf({ repo, revision, file }: Asked): string {
  const from = `${repo}@${revision}`;
  return file === undefined ? from : `${file} of ${from}`;
}
