import { isUserError } from '@tocsin/errors';

/** Prints an error for the person at the terminal: a mistake of theirs in words, a defect of ours whole. */
export function reportError(error: unknown): void {
  if (isUserError(error)) {
    console.error(`tocsin: ${error.message}`);
    if (error.hint !== undefined) console.error(error.hint);
    return;
  }
  console.error(
    'tocsin: this is a defect in Tocsin, not a mistake of yours. Please report it with what follows.',
  );
  console.error(error);
}
