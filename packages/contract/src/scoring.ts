import { z } from 'zod';
import { item, itemFields } from './items.js';
import { handle, probability, threshold, time } from './values.js';

/** A guard that this server serves, or that its store has scores from. */
export const guard = z
  .object({
    /** The name it was requested by. */
    ref: z.string(),
    fingerprint: z.string(),
    /** Whether this server scores with it. */
    served: z.boolean(),
    /** The first served guard, used when a request names none. */
    default: z.boolean(),
    /** Only for served guards: */
    task: z.enum(['content', 'trajectory']).nullable(),
    backbone: z.string().nullable(),
    defaultThreshold: probability.nullable(),
    maxLength: z.number().int().nullable(),
    precision: z.string().nullable(),
    /** From this store: */
    runs: z.number().int(),
    /** When it was registered in the database. */
    createdAt: time,
    /** Parcels waiting for a worker of this guard. */
    waitingParcels: z.number().int(),
  })
  .meta({ id: 'Guard' });
export type Guard = z.infer<typeof guard>;
export const guardList = z.object({ data: z.array(guard) });
export type GuardList = z.infer<typeof guardList>;
export const guardParams = z.strictObject({ fingerprint: z.string().regex(/^[0-9a-f]{64}$/) });

export const MAX_ITEMS = 256;

/** The guard, and its threshold: from a policy, explicit, or the guard's default. */
const judgement = {
  guard: z.string().max(500).optional().meta({ description: 'Default: the first guard of the server.' }),
  policy: handle.optional(),
  threshold: threshold.optional(),
};

export const scoreRequest = z
  .strictObject({ ...judgement, ...itemFields, items: z.array(item).min(1).max(MAX_ITEMS).optional() })
  .meta({ id: 'ScoreRequest' });
export type ScoreRequest = z.infer<typeof scoreRequest>;

/** The guard and threshold that were applied. */
const judged = {
  guard: z.string(),
  threshold: probability,
  /** Null when the request named no policy. */
  policy: z.string().nullable(),
};
const scored = {
  score: probability,
  harmful: z.boolean(),
  /** Tokens the model read. */
  tokens: z.number().int(),
  truncated: z.boolean(),
};

export const scoreAnswer = z.object({ ...judged, ...scored }).meta({ id: 'Score' });
export type ScoreAnswer = z.infer<typeof scoreAnswer>;

/** One of several items: its score, or why it has none. Items fail independently. */
const itemScore = z.union([z.object(scored), z.object({ error: z.string() })]);
export type ItemScore = z.infer<typeof itemScore>;
/** The response to a request with `items`, in their order. */
export const scoreAnswers = z.object({ ...judged, results: z.array(itemScore) }).meta({ id: 'Scores' });
export type ScoreAnswers = z.infer<typeof scoreAnswers>;

export const traceRequest = z.strictObject({ ...judgement, ...itemFields }).meta({ id: 'TraceRequest' });

/** The score after each token. */
export const trace = z
  .object({
    ...judged,
    score: probability,
    harmful: z.boolean(),
    /** The string that `start` and `end` index (in UTF-16 code units): the text as given, or the messages as rendered for the model. */
    text: z.string(),
    tokens: z.array(
      z.object({
        text: z.string(),
        start: z.number().int(),
        end: z.number().int(),
        /** Score of everything up to this token. */
        score: probability,
      }),
    ),
    /** Index of the first token whose score reaches the threshold; null when none does. */
    firstHarmful: z.number().int().nullable(),
    /** Tokens beyond the guard's maximum length. */
    omittedTokens: z.number().int(),
  })
  .meta({ id: 'Trace' });
export type Trace = z.infer<typeof trace>;

export const newStream = z
  .strictObject({
    ...judgement,
    /** The prompt that the streamed text responds to. */
    prompt: z.string().optional(),
    /** For a trajectory guard. */
    tools: itemFields.tools,
  })
  .meta({ id: 'NewStream' });

export const stream = z
  .object({
    id: z.uuid(),
    ...judged,
    /** The stream ends after this time without a push. */
    idleSeconds: z.number(),
  })
  .meta({ id: 'Stream' });
export type Stream = z.infer<typeof stream>;

/** A chunk of the text, or one or more messages for a trajectory guard. */
export const streamChunk = z
  .strictObject({
    chunk: z.string().max(1_000_000).optional(),
    messages: itemFields.messages,
  })
  .meta({ id: 'StreamChunk' });
export type StreamChunk = z.infer<typeof streamChunk>;

/** The score of everything pushed so far: the data of a `score` event. */
export const streamScore = z
  .object({
    /** Number of the push, from 1. */
    push: z.number().int(),
    score: probability,
    harmful: z.boolean(),
    threshold: probability,
    tokens: z.number().int(),
    truncated: z.boolean(),
  })
  .meta({ id: 'StreamScore' });
export type StreamScore = z.infer<typeof streamScore>;
export const streamParams = z.strictObject({ id: z.uuid() });
