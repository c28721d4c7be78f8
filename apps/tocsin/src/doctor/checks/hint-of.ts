import { isUserError } from '@tocsin/core';

/** What an error says is to be done; what to do when it says nothing. */
export function hintOf(error: unknown, otherwise: string): string {
  return (isUserError(error) ? error.hint : undefined) ?? otherwise;
}
