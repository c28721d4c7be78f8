/**
 * The address of a server as people, logs and tables may see it: without password, query and fragment, each of which may
 * let somebody in. It is not parsed: an address that is none must not give its password away either.
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
