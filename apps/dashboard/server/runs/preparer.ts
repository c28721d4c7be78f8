import type { Pool } from '@tocsin/postgres';
import { forgetSessions, prepareRuns } from '@tocsin/store';
import type { FastifyBaseLogger } from 'fastify';
import { loggedError } from '../http/logged-error.js';

const EVERY_MS = 10_000;

/** Makes runs that have ended quick to look at and to search, before the first look; and deletes sessions that have expired. */
export class Preparer {
  readonly #over = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #working: Promise<void> | undefined;

  constructor(pool: Pool, log: FastifyBaseLogger, everyMs = EVERY_MS) {
    const work = async (): Promise<void> => {
      this.#working = forgetSessions(pool)
        .then(() => prepareRuns(pool, this.#over.signal))
        .catch((error: unknown) => {
          // The next time is soon, and who looks at a run does without.
          if (!this.#over.signal.aborted) log.warn(loggedError(error), 'runs could not be prepared');
        });
      await this.#working;
      if (!this.#over.signal.aborted) this.#timer = setTimeout(() => void work(), everyMs);
    };
    this.#timer = setTimeout(() => void work(), everyMs);
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the server is stopping'));
    clearTimeout(this.#timer);
    await this.#working;
  }
}
