import { UserError } from '@tocsin/core';

/** A repository of the hub and a revision. */
export interface HubRef {
  /** `owner/name` */
  repo: string;
  /** A branch, a tag or a commit; undefined for the branch `main`. */
  revision: string | undefined;
}

/** A commit of a repository: nothing in it ever changes. */
export interface HubPin {
  repo: string;
  /** The requested revision; `main` by default. */
  revision: string;
  /** 40 hex digits. */
  commit: string;
}

const NAME = /^[A-Za-z0-9][\w.-]*\/[A-Za-z0-9][\w.-]*$/;
const REVISION = /^[\w.-]+(\/[\w.-]+)*$/;
/** A full commit hash; a shorter one is a name that the hub must resolve. */
export const COMMIT = /^[0-9a-f]{40}$/;

export const DEFAULT_REVISION = 'main';

/**
 * Reads `owner/name` or `owner/name@revision`.
 * @returns undefined for a text that cannot be a repository name
 * @throws UserError for a name with an invalid revision
 */
export function parseHubRef(text: string): HubRef | undefined {
  const at = text.indexOf('@');
  const repo = at === -1 ? text : text.slice(0, at);
  // `--` means `/` in the cache's directory names, and `..` leaves the directory.
  if (!NAME.test(repo) || repo.includes('--') || repo.includes('..')) return undefined;
  if (at === -1) return { repo, revision: undefined };
  const revision = text.slice(at + 1);
  if (REVISION.test(revision) && !revision.split('/').some((part) => /^\.+$/.test(part))) {
    return { repo, revision };
  }
  throw new UserError(`${text}: ${JSON.stringify(revision)} is no revision`, {
    hint: `A revision is a branch, a tag or a commit: ${repo}@${DEFAULT_REVISION}, for example.`,
  });
}

/** `owner/name@commit`, an immutable reference. */
export function textOfPin({ repo, commit }: HubPin): string {
  return `${repo}@${commit}`;
}
