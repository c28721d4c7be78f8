import { isUserError } from '@tocsin/core';
import { ApiError } from './api-error.js';

/**
 * Does what may not go together with what is there.
 * @throws ApiError (409) in the words of the person's mistake that it is
 */
export async function conflictOr<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new ApiError(409, error.message, { hint: error.hint, cause: error });
  }
}
