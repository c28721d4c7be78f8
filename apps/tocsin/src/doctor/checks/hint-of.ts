import { isUserError } from '@tocsin/core';

/** The hint of an error, or the given default. */
export function hintOf(error: unknown, otherwise: string): string {
  return (isUserError(error) ? error.hint : undefined) ?? otherwise;
}
