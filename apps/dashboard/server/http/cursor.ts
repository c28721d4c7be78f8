import { z } from 'zod';
import { ApiError } from './api-error.js';

/** A cursor is the sort key of a page's last row, as JSON in base64url. It is opaque, and forging one gains nothing. */
export function cursorOf(place: unknown): string {
  return Buffer.from(JSON.stringify(place)).toString('base64url');
}

/** @throws ApiError for an invalid cursor */
export function placeOf<Place extends z.ZodType>(
  cursor: string | undefined,
  place: Place,
): z.output<Place> | undefined {
  if (cursor === undefined) return undefined;
  const parsed = place.safeParse(jsonOrUndefined(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (parsed.success) return parsed.data;
  throw new ApiError(400, 'the cursor does not belong to this list', {
    field: 'cursor',
    hint: 'Give the `next` of the page before, to the same list.',
  });
}

/** A position in a list sorted by a unique number. */
export const serialPlace = z.number().int().positive();

/** A page from a list that was fetched with one extra row. */
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
