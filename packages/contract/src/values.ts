import { z } from 'zod';

/** A moment: ISO 8601, UTC. */
export const time = z.string().meta({ format: 'date-time', description: 'ISO 8601, UTC' });

/** P(harmful), or a threshold of it, as it is answered. */
export const probability = z.number().min(0).max(1);

/** The database keeps numbers of 32 bits: it takes none that is nearer to 0, and no score is. */
const isKept = (value: number): boolean => value === 0 || value >= 1e-30;
const TOO_SMALL = 'expected 0, or a number from 1e-30 to 1';

/** A threshold, or another bound of scores, as it is asked for. */
export const threshold = z.number().min(0).max(1).refine(isKept, TOO_SMALL);

/** The same in the query of an address, where everything is a string. */
export const queryThreshold = z.coerce.number().min(0).max(1).refine(isKept, TOO_SMALL);

/** What a run, a policy's change and the like are numbered with. */
export const serial = z.number().int().positive();
export const queryFlag = z.stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] });

/** The number of a run or row, in an address. */
export const pathSerial = z.coerce.number().int().positive();

/**
 * A text that Postgres keeps: names, notes, keys. U+0000 and half a surrogate pair are no characters there. (Texts that
 * are scored are not held to it.)
 */
export const plainText = (longest: number) =>
  z
    .string()
    .max(longest)
    .refine((text) => !text.includes('\0'), 'holds the character U+0000')
    .refine((text) => text.isWellFormed(), 'holds half of a surrogate pair, which is no character');

/**
 * Characters that move the cursor of a terminal, end a line, or turn the direction of what follows: what is printed after
 * one may look like something else.
 */
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u;
const CONTROLS = new RegExp(CONTROL, 'gu');

/** A text without such characters. */
export const withoutControls = (text: string): string => text.replace(CONTROLS, '');

/** One line: what lists and terminals show. */
export const line = (longest: number) =>
  plainText(longest).refine((text) => !CONTROL.test(text), 'holds a control character');

/** A name of something that people make: at least one character that can be seen. */
export const title = (longest: number) => line(longest).refine((text) => text.trim() !== '', 'is empty');

/** What people write about something: lines, and tabs in them, but no other control characters. */
export const prose = (longest: number) =>
  plainText(longest).refine(
    (text) => !CONTROL.test(text.replace(/[\n\r\t]/g, '')),
    'holds a control character',
  );

/** What a policy or a schedule is called: it stands in addresses, and on command lines. */
export const handle = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
    'expected up to 64 letters, digits, dots, dashes and underscores',
  );

/** The query of an address, as programs give it: what has a default may be left out. */
export type QueryOf<Query extends z.ZodType> = Partial<z.output<Query>>;

const MAX_PAGE_ROWS = 500;

/** How a list is asked for: so many, and on from where the last page ended. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_ROWS).default(50),
  cursor: z
    .string()
    .max(500)
    .optional()
    .meta({ description: '`next` of the page before. What it holds is the affair of the server.' }),
};

/** A page of a list. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    data: z.array(row),
    /** The cursor of the next page; null when this is the last. */
    next: z.string().nullable(),
  });

/** A page of a list, as programs take it. */
export interface Page<Row> {
  data: Row[];
  next: string | null;
}

/** What went wrong, for programs. */
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

/** The body of every answer that is no success. */
const errorBody = z
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
