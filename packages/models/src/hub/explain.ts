import { messageOf, redactUrls, UserError } from '@tocsin/core';
import { HubNetworkError, HubResponseError, isRefusedByProxy } from './hub-errors.js';
import type { HubSettings } from './hub-settings.js';

/** What was asked for when something failed. */
export interface Asked {
  repo: string;
  revision: string;
  /** Of the repository, when it was about one. */
  file?: string | undefined;
}

/** A failure of the hub as a message with the next step. Whatever is none (a full disk, a defect) goes through as it is. */
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
      `What is there: ${page}/tree/${revision}.`,
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
      `Open ${page} with the account ${token === undefined ? 'that you use' : `of the token in ${token.from}`}: the page says what is missing.`,
    ];
  }
  if (status === 429) {
    const wait = error.retryAfter === undefined ? '' : ` for ${Math.ceil(error.retryAfter / 1000)} s`;
    return [
      `the hub asks to wait${wait}: too many requests from this address or account`,
      'Run the same command later: what was fetched is kept. A token (HF_TOKEN) allows more requests.',
    ];
  }
  return [
    `the hub answers ${status}${words(error)}`,
    'Run the same command later: what was fetched is kept, and it goes on from there.',
  ];
}

function explainNetwork(error: HubNetworkError, asked: Asked, settings: HubSettings): UserError {
  const host = new URL(error.url).host;
  const reason = redactUrls(messageOf(error));
  const goesOn = 'Run the same command again when it works: what was fetched is kept.';
  const byHand = 'Or fetch it on a machine that can, and copy the directory that HF_HOME names there.';
  const { proxy } = error;
  if (proxy !== undefined) {
    const did = isRefusedByProxy(error) ? 'refuses the connection' : 'gives no connection';
    // Its host alone: the URL may hold a password.
    return new UserError(
      `cannot fetch ${nameOf(asked)}: the proxy ${proxy.url.host} (${proxy.from}) ${did} to ${host}: ${reason}`,
      {
        hint: `Check ${proxy.from}, and the user and password in it if the proxy asks for them; NO_PROXY=${new URL(error.url).hostname} goes past it. ${byHand}`,
        cause: error,
      },
    );
  }
  const certificate = /certificate|self.signed|CERT_/i.test(reason);
  return new UserError(`cannot fetch ${nameOf(asked)}: no connection to ${host}: ${reason}`, {
    hint: certificate
      ? 'A proxy that opens TLS connections? Name its certificate with NODE_EXTRA_CA_CERTS=<file.pem>.'
      : `Check the network${settings.env.HF_ENDPOINT ? ' and HF_ENDPOINT' : ''}; behind a proxy set HTTPS_PROXY. ${goesOn} ${byHand}`,
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
