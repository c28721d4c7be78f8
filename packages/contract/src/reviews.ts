import { REVIEW_ORDERS, VERDICTS } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import { storedContent } from './items.js';
import { handle, pathSerial, probability, prose, serial, threshold, time } from './values.js';

const verdict = z.enum(VERDICTS);
const reviewOrder = z.enum(REVIEW_ORDERS);

export const nextRequest = z
  .strictObject({
    run: serial,
    order: reviewOrder.default('uncertain'),
    /** Uncertain rows are those with a score nearest to it; default: the threshold of the run. */
    threshold: threshold.optional(),
    policy: handle.optional(),
    /** Rows judged by exactly one other reviewer, to measure agreement. */
    second: z.boolean().default(false),
    /** Rows of this run that the caller already holds: lease another one, so that the client can prefetch. */
    besides: z.array(serial).max(20).default([]),
  })
  .meta({ id: 'NextReview' });
export type NextRequest = z.input<typeof nextRequest>;

/** A row leased to one reviewer until the lease expires. */
const reviewRow = z
  .object({
    run: serial,
    seq: serial,
    key: z.string(),
    score: probability,
    content: storedContent,
    leasedUntil: time,
  })
  .meta({ id: 'ReviewRow' });
export type ReviewRow = z.infer<typeof reviewRow>;
export const nextReview = z.object({
  /** Null when no rows are left to review. */
  row: reviewRow.nullable(),
});
export type NextReview = z.infer<typeof nextReview>;

export const newVerdict = z
  .strictObject({ run: serial, seq: serial, verdict, note: prose(2_000).optional() })
  .meta({ id: 'NewVerdict' });
export type NewVerdict = z.infer<typeof newVerdict>;
export const givenVerdict = z
  .object({ id: serial, run: serial, seq: serial, verdict, note: z.string().nullable(), at: time })
  .meta({ id: 'Verdict' });
export type GivenVerdict = z.infer<typeof givenVerdict>;

export const undoRequest = z.strictObject({ run: serial }).meta({ id: 'UndoReview' });
/** The caller's last verdict is undone and its row leased again; nulls when there is none. */
export const undoneVerdict = z.object({ undone: givenVerdict.nullable(), row: reviewRow.nullable() });
export type UndoneVerdict = z.infer<typeof undoneVerdict>;

export const releaseRequest = z.strictObject({ run: serial, seq: serial }).meta({ id: 'ReleaseReview' });

/** A share with its 95 % interval; null when unknown. */
const estimate = z.object({ value: z.number(), low: z.number(), high: z.number() }).nullable();
export type Estimate = z.infer<typeof estimate>;
export const summaryQuery = z.strictObject({ run: pathSerial });
export const reviewSummary = z
  .object({
    run: serial,
    /** Rows with a verdict other than skip. */
    judged: z.number().int(),
    reviewers: z.array(
      z.object({
        reviewer: z.string(),
        harmful: z.number().int(),
        fine: z.number().int(),
        skip: z.number().int(),
      }),
    ),
    agreement: z.object({
      /** Rows judged by two reviewers. */
      pairs: z.number().int(),
      agreed: z.number().int(),
      /** Cohen's kappa; null without pairs, and when chance alone would give full agreement. */
      kappa: z.number().nullable(),
    }),
    /** Estimated for all rows of this run from the verdicts so far. */
    thresholds: z.array(
      z.object({ threshold: probability, flagged: z.number().int(), precision: estimate, recall: estimate }),
    ),
  })
  .meta({ id: 'ReviewSummary' });
export type ReviewSummary = z.infer<typeof reviewSummary>;
