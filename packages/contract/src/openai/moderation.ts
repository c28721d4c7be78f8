import { z } from 'zod';

/** Most texts per request; use a batch for more. */
export const MAX_INPUTS = 256;

const imagePart = z.object({ type: z.literal('image_url'), image_url: z.object({ url: z.string() }) });
const textPart = z.object({ type: z.literal('text'), text: z.string() });
const described = z.toJSONSchema(
  z.union([
    z.string(),
    z.array(z.string()).min(1).max(MAX_INPUTS),
    z.array(z.union([textPart, imagePart])).min(1),
  ]),
);

/** Parsed by `moderationTexts`, as in batch files, so that both give the same errors. */
const input = z.unknown().optional().meta({
  description:
    'A text, an array of texts (one result each), or an array of text parts (one text). Images are rejected.',
  anyOf: described.anyOf,
});

export const moderationRequest = z
  .object({
    input,
    model: z.string().max(500).nullish().meta({
      description:
        'A guard, a policy, or `guard:policy`; default: the first guard. Names of OpenAI moderation models select the default.',
    }),
  })
  .meta({ id: 'ModerationRequest' });

const ofHarm = <T extends z.ZodType>(of: T) => z.object({ harmful: of });
export const moderation = z
  .object({
    id: z.string(),
    model: z.string().meta({ description: 'The guard, or `guard:policy`, that produced the result.' }),
    results: z.array(
      z.object({
        flagged: z.boolean(),
        categories: ofHarm(z.boolean()),
        category_scores: ofHarm(z.number()),
        category_applied_input_types: ofHarm(z.array(z.literal('text'))),
        score: z.number().meta({ description: 'P(harmful).' }),
        threshold: z.number().meta({ description: 'Flagged at or above this score.' }),
        truncated: z.boolean().meta({
          description: 'The text exceeds the guard’s maximum length; only its beginning was scored.',
        }),
      }),
    ),
  })
  .meta({ id: 'Moderation' });

/** A guard or a policy, as OpenAI lists models. */
export const model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.number().int().meta({ description: 'Unix seconds.' }),
    owned_by: z.string(),
    threshold: z.number().meta({ description: 'Flagged at or above this score.' }),
    description: z.string(),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof model>;
export const modelList = z
  .object({ object: z.literal('list'), data: z.array(model) })
  .meta({ id: 'ModelList' });
export const modelParams = z.object({ '*': z.string() });

/** The body of every error response, as OpenAI's clients expect it. */
const errorBody = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.string(),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .meta({ id: 'OpenaiError' });
export type ErrorBody = z.infer<typeof errorBody>;

/** Error responses, for the OpenAPI document. */
export const refusals = { '4xx': errorBody, '5xx': errorBody } as const;
