/** Every express parcel that is done is notified on this channel. Channels are per database, so it is named after the schema. */
export const expressChannelOf = (schema: string): string => `${schema}_express`;
/** The same as SQL. */
export const EXPRESS_CHANNEL = `current_schema() || '_express'`;

/** An express parcel is done. */
export interface ExpressDone {
  parcelId: number;
  /**
   * The scores that it has brought, by content hash in hex. Not those that were there before, nor errors, nor anything
   * when there are too many for a message: whoever waits for one of those asks the store.
   */
  scores: ReadonlyMap<string, number>;
}

/** A message of Postgres has 8,000 bytes at most; a score in it takes 84. */
const MOST_SCORES = 90;

/** The message of parcel `id`, with the scores that the CTE `stored` (content, score) has stored. */
export const DONE_MESSAGE = `json_build_object('parcel', id, 'scores',
  (select json_object_agg(encode(content, 'hex'), score) filter (where score is not null)
   from stored having count(*) <= ${MOST_SCORES}))::text`;

/** @throws Error for a message that is not ours */
export function parseDone(message: string): ExpressDone {
  const parsed: unknown = JSON.parse(message);
  if (typeof parsed !== 'object' || parsed === null || !('parcel' in parsed) || !('scores' in parsed))
    throw new Error(
      `a message of ${message.length} characters on the channel of express parcels is not one of a parcel`,
    );
  const { parcel, scores } = parsed as { parcel: number; scores: Record<string, number> | null };
  return { parcelId: parcel, scores: new Map(Object.entries(scores ?? {})) };
}
