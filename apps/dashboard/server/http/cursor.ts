import { z } from 'zod';
import { ApiError } from './api-error.js';

/** A cursor is what the last row of a page was sorted by, as JSON in base64url: opaque, and worth nothing to who forges it. */
export function cursorOf(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws ApiError for what is no cursor of this list */
export function placeOf<Place extends z.ZodType>(
  cursor: string | undefined,
  place: Place,
): z.output<Place> | undefined {
  if (cursor === undefined) return undefined;
  const parsed = place.safeParse(jsonOrUndefined(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new ApiError(400, 'the cursor is none of this list', {
    field: 'cursor',
    hint: 'Give the `next` of the page before, to the same list.',
  });
}

/** The place in a list that is sorted by a number that only one row has. */
export const serialPlace = z.number().int().positive();

/** A page out of a list of up to one row more than were asked for. */
export function pageOfRows<Row, Answer>(
  rows: readonly Row[],
  limit: number,
  answer: (row: Row) => Answer,
  place: (row: Row) => unknown,
): { data: Answer[]; next: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    data: shown.map(answer),
    next: rows.length > limit && last !== undefined ? cursorOf(place(last)) : null,
  };
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
