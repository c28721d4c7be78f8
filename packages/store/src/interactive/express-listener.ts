import { poll } from '@tocsin/core';
import { currentSchema, type Pool } from '@tocsin/postgres';
import pg from 'pg';

const CONNECT_AGAIN_MS = 500;

/**
 * Hears of express parcels that are done. Takes one connection of the pool for itself, and another when that one
 * breaks; what is done in between it does not hear of.
 */
export class ExpressListener {
  readonly #pool: Pool;
  readonly #onDone: (done: ExpressDone) => void;
  readonly #onError: (error: Error) => void;
  readonly #closing = new AbortController();
  #client: pg.PoolClient | undefined;

  private constructor(pool: Pool, onDone: (done: ExpressDone) => void, onError: (error: Error) => void) {
    this.#pool = pool;
    this.#onDone = onDone;
    this.#onError = onError;
  }

  /** @param onError told of a connection that broke or cannot be had; the listener goes on trying */
  static async open(
    pool: Pool,
    onDone: (done: ExpressDone) => void,
    onError: (error: Error) => void = () => {},
  ): Promise<ExpressListener> {
    const listener = new ExpressListener(pool, onDone, onError);
    await listener.#listen();
    return listener;
  }

  close(): void {
    this.#closing.abort();
    // Whatever else uses the pool is not to be told of parcels.
    this.#client?.release(true);
    this.#client = undefined;
  }

  async #listen(): Promise<void> {
    const client = await this.#pool.connect();
    try {
      client.on('notification', ({ payload = '' }) => this.#hear(payload));
      const channel = expressChannelOf(await currentSchema(client));
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
      this.#closing.signal.throwIfAborted();
    } catch (error) {
      client.release(true);
      throw error;
    }
    this.#client = client;
    client.once('end', () => {
      if (this.#closing.signal.aborted) return;
      this.#client = undefined;
      client.release(true);
      this.#onError(new Error('the connection that listens for express parcels broke'));
      void this.#listenAgain();
    });
  }

  /** Whoever may connect to the database may send anything. */
  #hear(message: string): void {
    let done: ExpressDone;
    try {
      done = parseDone(message);
    } catch (error) {
      this.#onError(error as Error);
      return;
    }
    this.#onDone(done);
  }

  async #listenAgain(): Promise<void> {
    const { signal } = this.#closing;
    const listen = (): Promise<true> => this.#listen().then(() => true);
    await poll(listen, { everyMs: CONNECT_AGAIN_MS, signal, onError: this.#onError }).catch(() => {
      // It was closed.
    });
  }
}

/** Every express parcel that is done is notified on this channel. Channels are per database, so it is named after the schema. */
const expressChannelOf = (schema: string): string => `${schema}_express`;
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
function parseDone(message: string): ExpressDone {
  const parsed: unknown = JSON.parse(message);
  if (typeof parsed !== 'object' || parsed === null || !('parcel' in parsed) || !('scores' in parsed))
    throw new Error(
      `a message of ${message.length} characters on the channel of express parcels is not one of a parcel`,
    );
  const { parcel, scores } = parsed as { parcel: number; scores: Record<string, number> | null };
  return { parcelId: parcel, scores: new Map(Object.entries(scores ?? {})) };
}
