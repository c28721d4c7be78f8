import { explainServer } from './explain-server.js';
import { isUserError } from './user-error.js';

export { explainServer, serverError } from './explain-server.js';
export { addressOf, checkServerUrl, redactUrls, redisUrlOf } from './urls.js';
export { isUserError, UserError } from './user-error.js';
export * from './vocabulary.js';
export { abortable, aborted, Loop, poll, TimeoutError, within } from './wait.js';

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.message === '') return error.errors.map(messageOf).join('; ');
  return error instanceof Error ? error.message : String(error);
}

/** What an error says as one text: its message, and on lines of its own what to do about it. */
export function reasonOf(error: unknown): string {
  if (isUserError(error)) return error.hint === undefined ? error.message : `${error.message}\n${error.hint}`;
  const explained = explainServer(error);
  return explained === undefined ? messageOf(error) : `${explained.why}\n${explained.todo}`;
}

/** The `code` of a Node or Postgres error (`ENOENT`, `57P01`, ...), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
