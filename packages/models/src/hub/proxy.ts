import { UserError } from '@tocsin/core';
import { Agent, type Dispatcher, Pool, ProxyAgent } from 'undici';
import type { Environment } from '../cache/cache-directory.js';

const SECOND = 1000;

/** A connection idle for this long is closed and retried. */
const TIMEOUTS = {
  connect: { timeout: 20 * SECOND },
  headersTimeout: 60 * SECOND,
  bodyTimeout: 60 * SECOND,
} as const satisfies Agent.Options;

/**
 * Connections that go through the proxies of `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`. (undici's own
 * EnvHttpProxyAgent prints an experimental warning and does not reveal the proxy of a URL.)
 */
export function dispatcherOf(env: Environment): Dispatcher {
  return new Agent({
    ...TIMEOUTS,
    factory: (origin, options) => {
      const proxy = proxyFor(new URL(origin), env);
      return proxy === undefined
        ? new Pool(origin, options)
        : new ProxyAgent({ ...TIMEOUTS, uri: proxy.url.href });
    },
  });
}

export interface ProxyServer {
  /** May contain user and password: do not display. */
  url: URL;
  /** The variable that sets it. */
  from: string;
}

/**
 * The proxy for a URL. Lower-case variables take precedence, as in curl.
 * @throws UserError when the variable is not a URL
 */
export function proxyFor(target: URL, env: Environment): ProxyServer | undefined {
  const scheme = target.protocol.slice(0, -1);
  const names = [`${scheme}_proxy`, `${scheme.toUpperCase()}_PROXY`, 'all_proxy', 'ALL_PROXY'];
  const from = names.find((name) => env[name]);
  if (from === undefined || isExempt(target, env.no_proxy || env.NO_PROXY || '')) return undefined;
  const text = env[from] ?? '';
  // `host:port` is common, but a URL parser would take the host for a scheme.
  const address = text.includes('://') ? text : `http://${text}`;
  const url = URL.canParse(address) ? new URL(address) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return { url, from };
  // The value may hold a password.
  throw new UserError(`${from} is no http or https URL`, {
    hint: `It should read like http://proxy.example:3128. NO_PROXY=${target.hostname} goes past the proxy.`,
  });
}

/** @param list hosts, domains (with their subdomains), each with a port or without; `*` is everything */
function isExempt(target: URL, list: string): boolean {
  const port = target.port || (target.protocol === 'https:' ? '443' : '80');
  return list
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      if (entry === '*') return true;
      const [, name = entry, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry) ?? [];
      const domain = name.replace(/^\*?\./, '').toLowerCase();
      const fits = target.hostname === domain || target.hostname.endsWith(`.${domain}`);
      return fits && (onlyPort === undefined || onlyPort === port);
    });
}
