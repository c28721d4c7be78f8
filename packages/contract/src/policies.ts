import { z } from 'zod';
import { beginning } from './items.js';
import {
  handle,
  pageOf,
  pageQuery,
  pathSerial,
  probability,
  prose,
  queryFlag,
  queryThreshold,
  serial,
  threshold,
  time,
} from './values.js';

/** A named threshold and its meaning. Applied when scores are read: changing it rescores nothing. */
export const policy = z
  .object({
    name: z.string(),
    threshold: probability,
    meaning: z.string(),
    createdAt: time,
    archivedAt: time.nullable(),
    changedAt: time,
    changedBy: z.string(),
  })
  .meta({ id: 'Policy' });
export type Policy = z.infer<typeof policy>;
export const policyList = z.object({ data: z.array(policy) });
export type PolicyList = z.infer<typeof policyList>;
export const policyListQuery = z.strictObject({
  archived: queryFlag.default(false).meta({ description: 'Include archived policies.' }),
});
export const policyParams = z.strictObject({ name: handle });

const note = prose(1_000).optional().meta({ description: 'Reason for the change, stored in its history.' });
export const newPolicy = z
  .strictObject({ name: handle, threshold, meaning: prose(1_000).default(''), note })
  .meta({ id: 'NewPolicy' });
export type NewPolicy = z.input<typeof newPolicy>;
export const policyPatch = z
  .strictObject({
    threshold: threshold.optional(),
    meaning: prose(1_000).optional(),
    /** The new name. */
    name: handle.optional(),
    archived: z.boolean().optional(),
    note,
  })
  .meta({ id: 'PolicyPatch' });
export type PolicyPatch = z.infer<typeof policyPatch>;

const policyChange = z
  .object({
    id: serial,
    at: time,
    who: z.string(),
    what: z.enum(['created', 'threshold', 'meaning', 'renamed', 'archived', 'restored']),
    /** Old and new threshold; null for another kind of change. */
    from: probability.nullable(),
    to: probability.nullable(),
    /** Old and new name or meaning; null for another kind of change. */
    wordsFrom: z.string().nullable(),
    wordsTo: z.string().nullable(),
    note: z.string().nullable(),
  })
  .meta({ id: 'PolicyChange' });
export type PolicyChange = z.infer<typeof policyChange>;
export const policyChanges = pageOf(policyChange);
export const policyChangesQuery = z.strictObject(pageQuery);

export const previewQuery = z.strictObject({
  run: pathSerial,
  threshold: queryThreshold,
  examples: z.coerce.number().int().min(0).max(100).default(10),
});
/** The effect of another threshold on a run. */
export const policyPreview = z
  .object({
    run: serial,
    asOf: time,
    final: z.boolean(),
    from: probability,
    to: probability,
    /** Rows flagged by the policy now, and with the new threshold. */
    before: z.number().int(),
    after: z.number().int(),
    added: z.number().int(),
    removed: z.number().int(),
    /** Rows whose flag would change, nearest to the new threshold first. */
    examples: z.array(z.object({ seq: serial, key: z.string(), score: probability, ...beginning })),
  })
  .meta({ id: 'PolicyPreview' });
export type PolicyPreview = z.infer<typeof policyPreview>;
