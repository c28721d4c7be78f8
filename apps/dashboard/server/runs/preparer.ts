import { Loop } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { forgetSessions, prepareRuns } from '@tocsin/store';
import type { FastifyBaseLogger } from 'fastify';
import { loggedError } from '../http/logged-error.js';

const EVERY_MS = 10_000;

/** Ranks runs that have ended and makes their texts searchable, before anyone looks; deletes expired sessions. */
export function startPreparer(pool: Pool, log: FastifyBaseLogger, everyMs = EVERY_MS): Loop {
  const work = async (signal: AbortSignal): Promise<void> => {
    await forgetSessions(pool);
    await prepareRuns(pool, signal);
  };
  return new Loop(work, {
    everyMs,
    pauseFirst: true,
    // The next look is soon, and a run that is not prepared is prepared when it is opened.
    onError: (error) => log.warn(loggedError(error), 'runs could not be prepared'),
  });
}
