import { z } from 'zod';

export const MAX_PAGE_ROWS = 500;

/** How a list is asked for: so many, and on from where the last page ended. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(MAX_PAGE_ROWS).default(50),
  cursor: z
    .string()
    .max(500)
    .optional()
    .meta({ description: '`next` of the page before. What it holds is the affair of the server.' }),
};

/** A page of a list. */
export const pageOf = <Row extends z.ZodType>(row: Row) =>
  z.object({
    data: z.array(row),
    /** The cursor of the next page; null when this is the last. */
    next: z.string().nullable(),
  });

/** A page of a list, as programs take it. */
export interface Page<Row> {
  data: Row[];
  next: string | null;
}
