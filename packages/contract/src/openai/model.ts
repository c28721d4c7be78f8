import { z } from 'zod';

/** A guard or a policy, as OpenAI lists models. */
export const model = z
  .object({
    id: z.string(),
    object: z.literal('model'),
    created: z.number().int().meta({ description: 'Unix seconds.' }),
    owned_by: z.string(),
    threshold: z.number().meta({ description: 'Flagged from this score on.' }),
    description: z.string(),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof model>;
export const modelList = z
  .object({ object: z.literal('list'), data: z.array(model) })
  .meta({ id: 'ModelList' });
export const modelParams = z.object({ '*': z.string() });
