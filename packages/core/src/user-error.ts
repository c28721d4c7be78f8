/**
 * An error that the operator can fix: a bad file, a missing server, an option that does not fit.
 * The message says what was wrong and where, and what was expected; `hint` says what to do next.
 * Commands print these without a stack trace. Any other error is a bug and is printed with its stack.
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
