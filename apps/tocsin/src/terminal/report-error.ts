import { isUserError, serverError } from '@tocsin/core';

/** Prints an error for the person at the terminal: a mistake of theirs in words, a defect of ours whole. */
export function reportError(error: unknown): void {
  const known = isUserError(error) ? error : serverError(error);
  if (known !== undefined) {
    console.error(`tocsin: ${known.message}`);
    if (known.hint !== undefined) console.error(known.hint);
    return;
  }
  console.error(
    'tocsin: this is a defect in Tocsin, not a mistake of yours. Please report it with what follows.',
  );
  console.error(error);
}
