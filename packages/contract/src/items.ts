import { ITEM_ORDERS } from '@tocsin/core/vocabulary';
import { z } from 'zod';
import {
  pageOf,
  pageQuery,
  pathSerial,
  plainText,
  probability,
  type QueryOf,
  queryThreshold,
  serial,
  time,
} from './values.js';

/** Fields of an item: `text`, or `prompt` and/or `response`, or `messages` with optional `tools`. */
export const itemFields = {
  text: z.string().optional(),
  prompt: z.string().nullish(),
  response: z.string().nullish(),
  messages: z.array(z.record(z.string(), z.unknown())).max(10_000).optional(),
  tools: z.array(z.record(z.string(), z.unknown())).max(1_000).nullish(),
};
export const item = z.strictObject(itemFields).meta({
  id: 'Item',
  description: '`text`, or `prompt` and/or `response`, or `messages` with optional `tools`.',
});
export type Item = z.infer<typeof item>;

/** An item as submitted, read from the store. */
export const storedContent = z
  .object({
    text: z.string().optional(),
    prompt: z.string().optional(),
    response: z.string().optional(),
    messages: z.array(z.unknown()).optional(),
    tools: z.unknown().optional(),
  })
  .meta({ id: 'StoredContent' });
export type StoredContent = z.infer<typeof storedContent>;

/** Characters of a text in a list. */
export const PREVIEW_LENGTH = 400;

export const itemsQuery = z.strictObject({
  ...pageQuery,
  min: queryThreshold.optional().meta({ description: 'Rows with at least this score.' }),
  max: queryThreshold.optional().meta({ description: 'Rows with at most this score.' }),
  order: z
    .enum(ITEM_ORDERS)
    .default('score_desc')
    .meta({ description: 'By score: only rows with a score. `seq`: all rows, in corpus order.' }),
  q: plainText(200).optional().meta({
    description: 'Full-text search in stored texts: words, "a phrase", or, -excluded.',
  }),
});
export type ItemsQuery = QueryOf<typeof itemsQuery>;

/** A row's text in a list. */
export const beginning = {
  /** The beginning of the text, as one string; null when the text was not stored. */
  preview: z.string().nullable(),
  /** The beginning of each part: a text, prompt and response, or the first messages. */
  excerpt: storedContent.nullable(),
};

/** A row of a run. */
const itemRow = z
  .object({
    seq: serial,
    key: z.string(),
    /** Null without a score (yet). */
    score: probability.nullable(),
    truncated: z.boolean(),
    ...beginning,
    /** Why it has no score; null when it has one or is pending. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'ItemRow' });
export type ItemRow = z.infer<typeof itemRow>;
export const itemList = pageOf(itemRow).extend({ asOf: time, final: z.boolean() }).meta({ id: 'ItemList' });
export type ItemList = z.infer<typeof itemList>;

export const itemParams = z.strictObject({ id: pathSerial, seq: pathSerial });
/** One row in full. Reading it is recorded in the audit log. */
export const itemDetail = z
  .object({
    run: serial,
    seq: serial,
    key: z.string(),
    score: probability.nullable(),
    tokens: z.number().int().nullable(),
    truncated: z.boolean(),
    /** Why it has no score; null when it has one. */
    reason: z.string().nullable(),
    /** Null when the text was not stored. */
    content: storedContent.nullable(),
  })
  .meta({ id: 'ItemDetail' });
export type ItemDetail = z.infer<typeof itemDetail>;

export const traceQuery = z.strictObject({ threshold: queryThreshold.optional() });

/** A row without a score, and why. */
const reject = z
  .object({ seq: serial, key: z.string(), kind: z.enum(['unreadable', 'failed']), reason: z.string() })
  .meta({ id: 'Reject' });
export type Reject = z.infer<typeof reject>;
export const rejectsQuery = z.strictObject(pageQuery);
export const rejectList = pageOf(reject);

export const compareParams = z.strictObject({ id: pathSerial, other: pathSerial });
export const compareQuery = z.strictObject({
  threshold: queryThreshold
    .optional()
    .meta({ description: 'Applied to both runs; default: the threshold of the run.' }),
  examples: z.coerce.number().int().min(0).max(100).default(20),
});

/** Two runs joined by row key: changes from `other` to `run`. */
export const comparison = z
  .object({
    run: serial,
    other: serial,
    threshold: probability,
    /** Rows with a score in both; rows with equal keys count once. */
    both: z.number().int(),
    /** Of those: newly harmful, and no longer harmful. */
    flippedUp: z.number().int(),
    flippedDown: z.number().int(),
    /** Rows only in this run, and only in the other one. */
    newRows: z.number().int(),
    gone: z.number().int(),
    /** Population stability index and Kolmogorov-Smirnov distance of the scores; null when a run has no scores. */
    psi: z.number().nullable(),
    ks: z.number().nullable(),
    /** Rows whose flag changed, largest score change first. */
    examples: z.array(
      z.object({
        key: z.string(),
        seq: serial,
        score: probability,
        otherScore: probability,
        ...beginning,
      }),
    ),
  })
  .meta({ id: 'Comparison' });
export type Comparison = z.infer<typeof comparison>;
