import { z } from 'zod';

/** A timestamp: ISO 8601, UTC. */
export const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC' });

/** P(harmful) or a threshold, in responses. */
export const probability = z.number().min(0).max(1);

/** Smaller numbers underflow in the database's float32; no score is that small. */
const isKept = (value: number): boolean => value === 0 || value >= 1e-30;
const TOO_SMALL = 'expected 0, or a number from 1e-30 to 1';

/** A threshold or another bound of scores, in request bodies. */
export const threshold = z.number().min(0).max(1).refine(isKept, TOO_SMALL);

/** The same in a query string. */
export const queryThreshold = z.coerce.number().min(0).max(1).refine(isKept, TOO_SMALL);

/** A numeric id. */
export const serial = z.number().int().positive();
export const queryFlag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] });

/** A numeric id in a path. */
export const pathSerial = z.coerce.number().int().positive();

/**
 * A text that Postgres can store: names, notes, keys. Postgres rejects U+0000 and lone surrogates. (Scored texts may
 * contain them.)
 */
export const plainText = (longest: number) =>
  z
    .string()
    .max(longest)
    .refine((text) => !text.includes('\0'), 'contains the character U+0000')
    .refine((text) => text.isWellFormed(), 'contains a lone surrogate, which is not a character');

/**
 * Characters that move a terminal's cursor, end a line or change the text direction, and so could disguise what is
 * printed after them.
 */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const CONTROLS = new RegExp(CONTROL, 'gu');

/** A text without such characters. */
export const withoutControls = (text: string): string => text.replace(CONTROLS, '');

/** A single line, for lists and terminals. */
export const line = (longest: number) =>
  plainText(longest).refine((text) => !CONTROL.test(text), 'contains a control character');

/** A user-chosen name: at least one visible character. */
export const title = (longest: number) => line(longest).refine((text) => text.trim() !== '', 'is empty');

/** Free text: line breaks and tabs, but no other control characters. */
export const prose = (longest: number) =>
  plainText(longest).refine(
    (text) => !CONTROL.test(text.replace(/[\n\r\t]/g, '')),
    'contains a control character',
  );

/** The name of a policy or schedule, usable in URLs and on command lines. */
export const handle = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'expected up to 64 letters, digits, dots, dashes and underscores',
  );

/** A query string as clients build it: parameters with a default are optional. */
export type QueryOf<Query extends z.ZodType> = Partial<z.output<Query>>;

const MAX_PAGE_ROWS = 500;

/** Pagination parameters. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_ROWS).default(50),
  cursor: z.string().max(500).optional().meta({ description: '`next` of the previous page; opaque.' }),
};

/** A page of a list. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    data: z.array(row),
    /** The cursor of the next page; null on the last page. */
    next: z.string().nullable(),
  });

/** A page of a list, as clients receive it. */
export interface Page<Row> {
  data: Row[];
  next: string | null;
}

/** Machine-readable error codes. */
const ERROR_CODES = [
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

/** The body of every error response. */
const errorBody = z
  .object({
    error: z.object({
      /** What was wrong, where, and what was expected. */
      message: z.string(),
      /** What to do about it. */
      hint: z.string().optional(),
      code: z.enum(ERROR_CODES),
      /** The invalid field of the request, e.g. `items.3.text`. */
      field: z.string().optional(),
    }),
  })
  .meta({ id: 'Error' });
export type ErrorBody = z.infer<typeof errorBody>;
