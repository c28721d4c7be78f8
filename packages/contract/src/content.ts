import { z } from 'zod';

/** Fields of an item: `text`, or `prompt` and/or `response`, or `messages` and perhaps `tools`. */
export const itemFields = {
  text: z.string().optional(),
  prompt: z.string().nullish(),
  response: z.string().nullish(),
  messages: z.array(z.record(z.string(), z.unknown())).max(10_000).optional(),
  tools: z.array(z.record(z.string(), z.unknown())).max(1_000).nullish(),
};
export const item = z.strictObject(itemFields).meta({
  id: 'Item',
  description: '`text`, or `prompt` and/or `response`, or `messages` and perhaps `tools`.',
});
export type Item = z.infer<typeof item>;

/** An item as it was given, out of the store. */
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
