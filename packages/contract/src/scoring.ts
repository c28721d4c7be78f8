import { z } from 'zod';
import { item, itemFields } from './items.js';
import { handle, probability, threshold, time } from './values.js';

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

export const MAX_ITEMS = 256;

/** Which guard, and from which score on it is harmful: a policy, a threshold, or the guard's own default. */
const judgement = {
  guard: z.string().max(500).optional().meta({ description: 'Default: the first guard of the server.' }),
  policy: handle.optional(),
  threshold: threshold.optional(),
};

export const scoreRequest = z
  .strictObject({ ...judgement, ...itemFields, items: z.array(item).min(1).max(MAX_ITEMS).optional() })
  .meta({ id: 'ScoreRequest' });
export type ScoreRequest = z.infer<typeof scoreRequest>;

/** How it was judged. */
const judged = {
  guard: z.string(),
  threshold: probability,
  /** Null when a threshold was given, or none. */
  policy: z.string().nullable(),
};
const scored = {
  score: probability,
  harmful: z.boolean(),
  /** What the model saw. */
  tokens: z.number().int(),
  truncated: z.boolean(),
};

export const scoreAnswer = z.object({ ...judged, ...scored }).meta({ id: 'Score' });
export type ScoreAnswer = z.infer<typeof scoreAnswer>;

/** One of many: its score, or why it has none. One bad item never costs another. */
const itemScore = z.union([z.object(scored), z.object({ error: z.string() })]);
export type ItemScore = z.infer<typeof itemScore>;
/** To a request with `items`: in their order. */
export const scoreAnswers = z.object({ ...judged, results: z.array(itemScore) }).meta({ id: 'Scores' });
export type ScoreAnswers = z.infer<typeof scoreAnswers>;

export const traceRequest = z.strictObject({ ...judgement, ...itemFields }).meta({ id: 'TraceRequest' });

/** The score after every token. */
export const trace = z
  .object({
    ...judged,
    score: probability,
    harmful: z.boolean(),
    /** What `start` and `end` count in (UTF-16 units): the text as given; messages as they are rendered for the model. */
    text: z.string(),
    tokens: z.array(
      z.object({
        text: z.string(),
        start: z.number().int(),
        end: z.number().int(),
        /** Of everything up to this token. */
        score: probability,
      }),
    ),
    /** Index of the first token whose score reaches the threshold; null when none does. */
    firstHarmful: z.number().int().nullable(),
    /** Tokens that the model does not see, because the item is too long. */
    omittedTokens: z.number().int(),
  })
  .meta({ id: 'Trace' });
export type Trace = z.infer<typeof trace>;

export const newStream = z
  .strictObject({
    ...judgement,
    /** What the streamed text is the response to. */
    prompt: z.string().optional(),
    /** Of a trajectory guard. */
    tools: itemFields.tools,
  })
  .meta({ id: 'NewStream' });

export const stream = z
  .object({
    id: z.uuid(),
    ...judged,
    /** It ends when nothing is pushed for so long. */
    idleSeconds: z.number(),
  })
  .meta({ id: 'Stream' });
export type Stream = z.infer<typeof stream>;

/** A piece: of the text, or (to a trajectory guard) one or more messages. */
export const streamChunk = z
  .strictObject({
    chunk: z.string().max(1_000_000).optional(),
    messages: itemFields.messages,
  })
  .meta({ id: 'StreamChunk' });
export type StreamChunk = z.infer<typeof streamChunk>;

/** The score of everything that was pushed so far. The data of the event `score`. */
export const streamScore = z
  .object({
    /** Counts pushes, from 1. */
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
