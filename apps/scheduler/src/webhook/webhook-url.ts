import { UserError } from '@tocsin/core';
import ipaddr from 'ipaddr.js';

/** Which URLs may be called. */
export interface WebhookRules {
  /** Also http, and private addresses. */
  allowPrivate: boolean;
}

const ALLOW_HINT =
  'To allow it, use --allow-private-webhooks, or TOCSIN_WEBHOOK_ALLOW_PRIVATE=1 for every process.';

/**
 * Validates a webhook's URL as text; the addresses of its name are checked at every call.
 * @throws UserError that does not repeat the URL: it may contain a credential
 */
export function parseWebhookUrl(text: string, { allowPrivate }: WebhookRules): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UserError("the webhook's URL is not an https URL", {
      hint: 'It should read like https://example.com/tocsin.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new UserError("the webhook's URL contains a user or a password", {
      hint: 'Remove them: the receiver authenticates messages by their signature.',
    });
  }
  if (url.protocol === 'http:' && !allowPrivate) {
    throw new UserError(`the webhook at ${shownUrl(url)} is http, and only https is called`, {
      hint: ALLOW_HINT,
    });
  }
  const address = addressOfHost(url.hostname);
  if (address !== undefined && !allowPrivate) requirePublic(url.hostname, address);
  return url;
}

/** @throws UserError when `address`, which `hostname` is or resolves to, is not public */
export function requirePublic(hostname: string, address: string): void {
  if (isPublicAddress(address)) return;
  const what = addressOfHost(hostname) === undefined ? `${hostname} is ${address}, which` : address;
  throw new UserError(`${what} is not a public address; webhooks are only sent to public ones`, {
    hint: ALLOW_HINT,
  });
}

/** A webhook's URL for display and logs: path and query may contain a credential. */
export function shownUrl(url: URL | string): string {
  const { origin, pathname, search } = new URL(url);
  return pathname === '/' && search === '' ? `${origin}/` : `${origin}/***`;
}

/**
 * Whether TOCSIN_WEBHOOK_ALLOW_PRIVATE allows private addresses.
 * @throws UserError when it is neither yes nor no
 */
export function allowPrivateOf(env: NodeJS.ProcessEnv): boolean {
  const value = env.TOCSIN_WEBHOOK_ALLOW_PRIVATE ?? '';
  if (/^(1|true|yes)$/i.test(value)) return true;
  if (/^(|0|false|no)$/i.test(value)) return false;
  throw new UserError(`TOCSIN_WEBHOOK_ALLOW_PRIVATE is ${JSON.stringify(value)}, expected 1 or 0`);
}

/** Cloud metadata addresses outside the special ranges. (The usual one, 169.254.169.254, is link-local.) */
const METADATA = new Set(['168.63.129.16']);

/**
 * Whether an address is public. Not public: loopback, private, link-local, carrier-grade NAT, multicast, reserved,
 * documentation, metadata services; and IPv6 addresses that embed an IPv4 address for a gateway (NAT64, 6to4, Teredo).
 * @param address an IP address; an IPv4-mapped one (`::ffff:127.0.0.1`) counts as its IPv4 address
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.process(address);
  return parsed.range() === 'unicast' && !METADATA.has(parsed.toString());
}

/** The IP address in a URL's host; undefined for a name. */
export function addressOfHost(hostname: string): string | undefined {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return ipaddr.isValid(bare) ? bare : undefined;
}
