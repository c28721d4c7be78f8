import { poll } from '@tocsin/core';
import { currentSchema, type Pool } from '@tocsin/postgres';
import pg from 'pg';

const CONNECT_AGAIN_MS = 500;

/**
 * Listens for finished express parcels. Holds one connection of the pool and reconnects when it breaks; notifications
 * in between are lost.
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

  /** @param onError called when a connection breaks or fails; the listener keeps retrying */
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
    // The connection must not return to the pool while it listens.
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

  /** Any user of the database may send notifications. */
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

/** The channel for finished express parcels. Channels are per database, so its name includes the schema. */
const expressChannelOf = (schema: string): string => `${schema}_express`;
/** The same as SQL. */
export const EXPRESS_CHANNEL = `current_schema() || '_express'`;

/** A finished express parcel. */
export interface ExpressDone {
  parcelId: number;
  /**
   * The new scores by content hash in hex. Excludes earlier scores and errors, and is empty when there are too many for a
   * notification: read those from the store.
   */
  scores: ReadonlyMap<string, number>;
}

/** A notification of Postgres has at most 8,000 bytes; a score takes 84. */
const MOST_SCORES = 90;

/** The notification of parcel `id` with the scores in the CTE `stored` (content, score). */
export const DONE_MESSAGE = `json_build_object('parcel', id, 'scores',
  (select json_object_agg(encode(content, 'hex'), score) filter (where score is not null)
   from stored having count(*) <= ${MOST_SCORES}))::text`;

/** @throws Error for an invalid notification */
function parseDone(message: string): ExpressDone {
  const parsed: unknown = JSON.parse(message);
  if (typeof parsed !== 'object' || parsed === null || !('parcel' in parsed) || !('scores' in parsed))
    throw new Error(
      `a message of ${message.length} characters on the channel of express parcels is not one of a parcel`,
    );
  const { parcel, scores } = parsed as { parcel: number; scores: Record<string, number> | null };
  return { parcelId: parcel, scores: new Map(Object.entries(scores ?? {})) };
}
