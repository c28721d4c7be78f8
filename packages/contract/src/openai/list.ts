import { z } from 'zod';
import { plainText } from '../index.js';

/** How OpenAI's clients page through a list: with the id of the last object that they have. */
export const after = plainText(200)
  .optional()
  .meta({ description: 'The id of the last object of the page before.' });

/** A page of a list of objects that have ids. */
export const listOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    object: z.literal('list'),
    data: z.array(row),
    first_id: z.string().nullable(),
    last_id: z.string().nullable(),
    has_more: z.boolean(),
  });

export interface List<Row> {
  object: 'list';
  data: Row[];
  first_id: string | null;
  last_id: string | null;
  has_more: boolean;
}

/** A page out of a list of up to one object more than were asked for. */
export function listOfRows<Row extends { id: string }>(rows: readonly Row[], limit: number): List<Row> {
  const data = rows.slice(0, limit);
  return {
    object: 'list',
    data,
    first_id: data.at(0)?.id ?? null,
    last_id: data.at(-1)?.id ?? null,
    has_more: rows.length > limit,
  };
}

/** Unix seconds. */
export const unixTime = z.number().int().meta({ description: 'Unix seconds.' });

export function unixSeconds(time: Date): number {
  return Math.floor(time.getTime() / 1000);
}

/** So many seconds from now. */
export function inSeconds(seconds: number): Date {
  return new Date(Date.now() + seconds * 1000);
}
