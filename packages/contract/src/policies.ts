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

/** A threshold with a name, and what it means. Applied when scores are read: moving it scores nothing again. */
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
  archived: queryFlag.default(false).meta({ description: 'With those that are archived.' }),
});
export const policyParams = z.strictObject({ name: handle });

const note = prose(1_000).optional().meta({ description: 'Why; kept with the change.' });
export const newPolicy = z
  .strictObject({ name: handle, threshold, meaning: prose(1_000).default(''), note })
  .meta({ id: 'NewPolicy' });
export type NewPolicy = z.input<typeof newPolicy>;
export const policyPatch = z
  .strictObject({
    threshold: threshold.optional(),
    meaning: prose(1_000).optional(),
    /** What it is called from now on. */
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
    /** Of the threshold; null for another change. */
    from: probability.nullable(),
    to: probability.nullable(),
    /** Of the name or the meaning; null for another change. */
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
/** What another threshold would do to a run. */
export const policyPreview = z
  .object({
    run: serial,
    asOf: time,
    final: z.boolean(),
    from: probability,
    to: probability,
    /** Rows that the policy flags, and would flag. */
    before: z.number().int(),
    after: z.number().int(),
    added: z.number().int(),
    removed: z.number().int(),
    /** Rows that would change sides, those nearest to the new threshold first. */
    examples: z.array(z.object({ seq: serial, key: z.string(), score: probability, ...beginning })),
  })
  .meta({ id: 'PolicyPreview' });
export type PolicyPreview = z.infer<typeof policyPreview>;
