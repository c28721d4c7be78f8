import { z } from 'zod';
import { probability, time } from './values.js';

/** A guard that this server scores with, or that its store has scores of. */
export const guard = z
  .object({
    /** As it was asked for. */
    ref: z.string(),
    fingerprint: z.string(),
    /** It can be asked for scores here. */
    served: z.boolean(),
    /** The first that is served: who names no guard means it. */
    default: z.boolean(),
    /** Of served guards only: */
    task: z.enum(['content', 'trajectory']).nullable(),
    backbone: z.string().nullable(),
    defaultThreshold: probability.nullable(),
    maxLength: z.number().int().nullable(),
    precision: z.string().nullable(),
    /** Of this store: */
    runs: z.number().int(),
    /** When the database first heard of it. */
    createdAt: time,
    /** Parcels that wait for a worker of this guard. */
    waitingParcels: z.number().int(),
  })
  .meta({ id: 'Guard' });
export type Guard = z.infer<typeof guard>;
export const guardList = z.object({ data: z.array(guard) });
export type GuardList = z.infer<typeof guardList>;
export const guardParams = z.strictObject({ fingerprint: z.string().regex(/^[0-9a-f]{64}$/) });
