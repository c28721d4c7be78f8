import { z } from 'zod';

/** What went wrong, for programs. */
export const ERROR_CODES = [
  'invalid_request',
  'unauthenticated',
  'forbidden',
  'not_found',
  'conflict',
  'too_large',
  'unsupported_media_type',
  'unprocessable',
  'rate_limited',
  'unavailable',
  'internal',
] as const;
export type ErrorCode = (typeof ERROR_CODES)[number];

/** The body of every answer that is no success. */
export const errorBody = z
  .object({
    error: z.object({
      /** What was wrong, where, and what was expected. */
      message: z.string(),
      /** What to do about it. */
      hint: z.string().optional(),
      code: z.enum(ERROR_CODES),
      /** The field of the request that is at fault, e.g. `items.3.text`. */
      field: z.string().optional(),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorBody>;
