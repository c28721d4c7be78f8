import { BATCH_STATES } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { plainText, prose } from '../index.js';

/** OpenAI's pagination: clients pass the id of the last object they have. */
const after = plainText(200)
  .optional()
  .meta({ description: 'The id of the last object of the previous page.' });

/** A page of a list of objects that have ids. */
const listOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    object: z.literal('list'),
    data: z.array(row),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

export interface List<Row> {
  object: 'list';
  data: Row[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** Cuts a page from a list with up to one object more than requested. */
export function listOfRows<Row extends { id: string }>(rows: readonly Row[], limit: number): List<Row> {
  const data = rows.slice(0, limit);
  return {
    object: 'list',
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: rows.length > limit,
  };
}

/** Unix seconds. */
const unixTime = z.number().int().meta({ description: 'Unix seconds.' });

export function unixSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** Expiry, in seconds from now. */
export function inSeconds(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}

const HOUR = 60 * 60;
const DAY = 24 * HOUR;

/** Default lifetime of a request file, in seconds. */
export const KEPT_SECONDS = 30 * DAY;

/** `batch`: uploaded requests. `batch_output`: their results. */
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

const expiresAfter = z.object({
  anchor: z.literal('created_at'),
  seconds: z.coerce
    .number()
    .int()
    .min(HOUR)
    .max(30 * DAY),
});

/** The fields of an upload besides the file. */
export const fileFields = z.object({ purpose: z.literal('batch'), expires_after: expiresAfter.optional() });

/** The multipart form, for the OpenAPI document. */
export const fileForm = z.object({
  purpose: z.literal('batch'),
  file: z.any().meta({ type: 'string', format: 'binary', description: 'JSON lines, one request per line.' }),
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

const ENDPOINT = '/v1/moderations';
const COMPLETION_WINDOW = '24h';
export const COMPLETION_SECONDS = 24 * 60 * 60;

const metadata = z
  .record(prose(64), prose(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'contains more than 16 pairs');

export const newBatch = z
  .object({
    input_file_id: plainText(200),
    endpoint: z.literal(ENDPOINT),
    completion_window: z.literal(COMPLETION_WINDOW),
    metadata: metadata.nullish(),
    output_expires_after: expiresAfter.nullish(),
  })
  .meta({ id: 'NewBatch' });

/** Why a whole batch failed. */
const batchError = z.object({
  code: z.string().nullable(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.number().int().nullable(),
});

export const batch = z
  .object({
    id: z.string(),
    object: z.literal('batch'),
    endpoint: z.string(),
    model: z.string().nullable().meta({ description: 'The guard.' }),
    errors: z.object({ object: z.literal('list'), data: z.array(batchError) }).nullable(),
    input_file_id: z.string(),
    completion_window: z.string(),
    status: z.enum(BATCH_STATES),
    output_file_id: z.string().nullable(),
    error_file_id: z.string().nullable(),
    created_at: unixTime,
    in_progress_at: unixTime.nullable(),
    expires_at: unixTime,
    finalizing_at: unixTime.nullable(),
    completed_at: unixTime.nullable(),
    failed_at: unixTime.nullable(),
    expired_at: unixTime.nullable(),
    cancelling_at: unixTime.nullable(),
    cancelled_at: unixTime.nullable(),
    request_counts: z.object({
      total: z.number().int(),
      completed: z.number().int(),
      failed: z.number().int(),
    }),
    metadata: z.record(z.string(), z.string()).nullable(),
    run: z.number().int().nullable().meta({ description: 'The run of this batch: /api/runs/{run}.' }),
  })
  .meta({ id: 'Batch' });
export type Batch = z.infer<typeof batch>;

export const batchList = listOf(batch).meta({ id: 'BatchList' });
export const batchListQuery = z.object({ after, limit: z.coerce.number().int().min(1).max(100).default(20) });
export const batchParams = z.object({ id: plainText(200) });
