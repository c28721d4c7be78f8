import { z } from 'zod';
import { plainText } from '../index.js';
import { after, listOf, unixTime } from './list.js';

const HOUR = 60 * 60;
const DAY = 24 * HOUR;

/** Seconds for which a file of requests is kept when nothing else is said. */
export const KEPT_SECONDS = 30 * DAY;

/** `batch`: requests, uploaded. `batch_output`: what became of them. */
export const FILE_PURPOSES = ['batch', 'batch_output'] as const;

export const file = z
  .object({
    id: z.string(),
    object: z.literal('file'),
    bytes: z.number().int(),
    created_at: unixTime,
    expires_at: unixTime.nullable(),
    filename: z.string(),
    purpose: z.enum(FILE_PURPOSES),
    status: z.literal('processed'),
  })
  .meta({ id: 'File' });
export type File = z.infer<typeof file>;

export const expiresAfter = z.object({
  anchor: z.literal('created_at'),
  seconds: z.coerce
    .number()
    .int()
    .min(HOUR)
    .max(30 * DAY),
});

/** The fields of an upload beside the file itself. */
export const fileFields = z.object({ purpose: z.literal('batch'), expires_after: expiresAfter.optional() });

/** The same as a form has them, for who reads about it. */
export const fileForm = z.object({
  purpose: z.literal('batch'),
  file: z.any().meta({ type: 'string', format: 'binary', description: 'JSON lines, a request each.' }),
  'expires_after[anchor]': z.literal('created_at').optional(),
  'expires_after[seconds]': expiresAfter.shape.seconds.optional(),
});

export const fileList = listOf(file).meta({ id: 'FileList' });
export const fileListQuery = z.object({
  after,
  limit: z.coerce.number().int().min(1).max(10_000).default(10_000),
  order: z.enum(['asc', 'desc']).default('desc'),
  purpose: plainText(100).optional(),
});
export const fileParams = z.object({ id: plainText(200) });
export const deletedFile = z.object({
  id: z.string(),
  object: z.literal('file'),
  deleted: z.boolean(),
});
