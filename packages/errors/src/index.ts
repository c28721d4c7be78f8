export { addressOf, redactUrls } from './urls.js';

/**
 * A mistake that the person running Tocsin can mend: a bad file, a missing server, an option that does not fit.
 * The message says what was wrong and where, and what was expected; `hint` says what to do next.
 * Commands print these without a stack trace. Everything else that is thrown is a defect of ours and is printed whole.
 */
export class UserError extends Error {
  /** What to do about it, one sentence or a few lines. */
  readonly hint: string | undefined;

  constructor(message: string, options: { hint?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'UserError';
    this.hint = options.hint;
  }
}

/** True for a `UserError`, also one that came from another copy of this package or over a process boundary. */
export function isUserError(error: unknown): error is UserError {
  return error instanceof Error && error.name === 'UserError';
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** What an error says as one text: its message, and on lines of its own what to do about it. */
export function reasonOf(error: unknown): string {
  const message = messageOf(error);
  return isUserError(error) && error.hint !== undefined ? `${message}\n${error.hint}` : message;
}

/** The `code` of a Node or Postgres error (`ENOENT`, `57P01`, ...), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
