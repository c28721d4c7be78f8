import { z } from 'zod';

/** The body of every answer that is no success, as OpenAI's clients read it. */
export const errorBody = z
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

/** For the document: whatever may be answered instead. */
export const refusals = { '4xx': errorBody, '5xx': errorBody } as const;
