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
