import { UserError } from './user-error.js';

/**
 * The address of a server as people, logs and tables may see it: without password, query and fragment, each of which may
 * grant access. It is not parsed: an address that is none must not give its password away either.
 */
export function addressOf(url: string): string {
  const [, scheme, rest = ''] = /^([a-z][a-z0-9+.-]*:\/\/)(.*)$/is.exec(url) ?? [];
  if (scheme === undefined) return 'the address given (which is no URL)';
  // A password may hold an @ itself, and so may a query: where it could be either, nothing is shown.
  const at = rest.lastIndexOf('@');
  if (/[?#].*@/s.test(rest)) return `${scheme}***`;
  const user = rest.slice(0, Math.max(0, at)).split(':')[0] ?? '';
  const host = rest.slice(at + 1).replace(/[?#].*$/s, '');
  return `${scheme}${user === '' ? '' : `${user}@`}${host}`;
}

/**
 * A text fit to be shown and logged: in every URL, what can be a credential becomes `***`. That is the user part
 * (`https://user:token@host`) up to the last `@`, since a password may hold one itself, and the query and fragment
 * (signed links). Where an `@` follows a `?` or `#` either could be the secret's, and all of the URL is hidden.
 */
export function redactUrls(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)(\S*)/gi, (_url, scheme: string, rest: string) => {
    const query = rest.search(/[?#]/);
    const user = rest.lastIndexOf('@');
    if (query === -1) return `${scheme}${user === -1 ? '' : '***@'}${rest.slice(user + 1)}`;
    if (user > query) return `${scheme}***`;
    return `${scheme}${user === -1 ? '' : '***@'}${rest.slice(user + 1, query)}?***`;
  });
}

const SCHEMES = {
  DATABASE_URL: { pattern: /^postgres(ql)?:\/\//i, like: 'postgres://user:password@host:5432/database' },
  REDIS_URL: { pattern: /^rediss?:\/\//i, like: 'redis://user:password@host:6379' },
} as const;
const PASSWORD_HINT = {
  DATABASE_URL: 'or leave the password out and set PGPASSWORD, which takes it as it is',
  REDIS_URL: 'or leave the password out and set REDIS_PASSWORD, which takes it as it is',
} as const;

/**
 * Checks that a server's address reads as it was meant: a `/`, `#`, `?` or `@` in a password that is not URL-encoded ends
 * host and port elsewhere, and what is left of the password would be looked up as a host name.
 * @param variable where it comes from
 * @throws UserError without any part of the address
 */
export function checkServerUrl(variable: keyof typeof SCHEMES, url: string): void {
  // node-postgres takes a directory with a Unix socket.
  if (variable === 'DATABASE_URL' && /^(\/|socket:)/.test(url)) return;
  const { pattern, like } = SCHEMES[variable];
  if (!pattern.test(url)) {
    throw new UserError(`${variable} cannot be read: it does not begin as ${like} does`, {
      hint: `Write it as ${like}.`,
    });
  }
  if (isAsMeant(url)) return;
  throw new UserError(
    `${variable} cannot be read: a character of the user name or password is not URL-encoded`,
    {
      hint: `Write @ as %40, / as %2F, # as %23, ? as %3F, : as %3A and % as %25 there, ${PASSWORD_HINT[variable]}.`,
    },
  );
}

function isAsMeant(url: string): boolean {
  let parsed: URL;
  try {
    // A user without a host is for a Unix socket, which ?host= names.
    parsed = new URL(url.replace(/@(?=\/)/, '@localhost'));
    decodeURIComponent(parsed.username + parsed.password);
  } catch {
    return false;
  }
  const [authority = ''] = url.replace(/^[^:]+:\/\//, '').split(/[/?#]/);
  if ((authority.match(/@/g) ?? []).length > 1) return false;
  // An @ belongs before the host; a parameter's value may hold one.
  const { pathname, search, hash } = parsed;
  const strayed = `${pathname}${search.replace(/([?&]\w+=)[^&]*/g, '$1')}${hash}`;
  return !strayed.includes('@');
}

const REDIS_LOGIN = /^(?<scheme>rediss?(?:\+cluster)?:\/\/)(?:(?<user>[^:@/]*)@)?(?=[^@]*$)/i;

/**
 * `REDIS_URL` with the password of `REDIS_PASSWORD`, URL-encoded, unless the URL has one. Undefined when `REDIS_URL` is
 * unset or empty.
 */
export function redisUrlOf(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const { REDIS_URL: url, REDIS_PASSWORD: password } = env;
  if (!url || !password) return url || undefined;
  return url.replace(
    REDIS_LOGIN,
    (_match, scheme: string, user = '') => `${scheme}${user}:${encodeURIComponent(password)}@`,
  );
}
