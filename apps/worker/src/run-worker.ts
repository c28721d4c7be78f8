import { once } from 'node:events';
import { openGuard, Scorer } from '@tocsin/engine';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { createPool, requireConnection } from '@tocsin/store';
import type { Logger } from 'pino';
import { Worker } from './worker.js';

/** About half a minute of work on two CPU cores: then the corpus is large enough for calibration to pay. */
const CALIBRATE_AFTER_TOKENS = 30_000;

export interface RunWorkerOptions {
  databaseUrl: string;
  backend: QueueBackend;
  guard: string;
  backbone?: string | undefined;
  device?: string | undefined;
  threads?: number | undefined;
  cacheDir?: string | undefined;
  log: Logger;
  /** Drains the worker and ends it. */
  signal: AbortSignal;
}

/** A whole worker: opens the guard, starts the engine, and scores until the signal. */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { log, signal, databaseUrl, backend } = options;
  const guard = await openGuard(options.guard, {
    ...options,
    onEvent: ({ message }) => log.info(message),
  });
  const pool = createPool(databaseUrl, { applicationName: 'tocsin worker', max: 4 });
  try {
    await requireConnection(pool, databaseUrl);
    await prepareBackend(backend);
    const scorer = await Scorer.start(guard, {
      threads: options.threads,
      calibrateAfter: CALIBRATE_AFTER_TOKENS,
      onRestart: (reason) => log.warn({ reason }, 'the engine process is replaced'),
    });
    try {
      log.info(
        { guard: guard.fingerprint.slice(0, 12), engine: await scorer.enginePid(), ...scorer.costModel },
        'worker ready',
      );
      await scoreUntil(
        signal,
        (onFailure) =>
          new Worker({
            pool,
            backend,
            fingerprint: guard.fingerprint,
            scorer,
            onFailure,
            onTrouble: (error) => log.warn({ reason: error.message }, 'the queue is not reachable'),
          }),
      );
      log.info({ ...scorer.counts }, 'worker drained');
    } finally {
      await scorer.close();
    }
  } finally {
    await pool.end();
  }
}

/** Runs a worker until the signal, or until a parcel fails: then what is wrong is not the parcel. */
async function scoreUntil(
  signal: AbortSignal,
  start: (onFailure: (error: Error) => void) => Worker,
): Promise<void> {
  const broken = new AbortController();
  const worker = start((error) => broken.abort(error));
  await aborted(AbortSignal.any([signal, broken.signal]));
  await worker.close();
  broken.signal.throwIfAborted();
}

async function aborted(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort');
}
