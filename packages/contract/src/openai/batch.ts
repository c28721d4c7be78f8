import { BATCH_STATES } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { plainText, prose } from '../index.js';
import { expiresAfter } from './file.js';
import { after, listOf, unixTime } from './list.js';

export const ENDPOINT = '/v1/moderations';
export const COMPLETION_WINDOW = '24h';
export const COMPLETION_SECONDS = 24 * 60 * 60;

const metadata = z
  .record(prose(64), prose(512))
  .refine((pairs) => Object.keys(pairs).length <= 16, 'holds more than 16 pairs');

export const newBatch = z
  .object({
    input_file_id: plainText(200),
    endpoint: z.literal(ENDPOINT),
    completion_window: z.literal(COMPLETION_WINDOW),
    metadata: metadata.nullish(),
    output_expires_after: expiresAfter.nullish(),
  })
  .meta({ id: 'NewBatch' });

/** Why a batch has failed as a whole. */
export const batchError = z.object({
  code: z.string().nullable(),
  message: z.string(),
  param: z.string().nullable(),
  line: z.number().int().nullable(),
});
export type BatchError = z.infer<typeof batchError>;

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
    run: z.number().int().nullable().meta({ description: 'The run that it is: /api/runs/{run}.' }),
  })
  .meta({ id: 'Batch' });
export type Batch = z.infer<typeof batch>;

export const batchList = listOf(batch).meta({ id: 'BatchList' });
export const batchListQuery = z.object({ after, limit: z.coerce.number().int().min(1).max(100).default(20) });
export const batchParams = z.object({ id: plainText(200) });
