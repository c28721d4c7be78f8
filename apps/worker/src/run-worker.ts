import { abortable, aborted, checkServerUrl, UserError } from '@tocsin/core';
import { type OpenGuard, openGuard, Scorer } from '@tocsin/engine';
import { guardText, reconcile, registerOpenGuard, Worker } from '@tocsin/pipeline';
import { cancelWhenInterrupted, createPool, type Pool, requireConnection, withRetry } from '@tocsin/postgres';
import { ParcelQueue, prepareBackend, type QueueBackend, queueNameOf } from '@tocsin/queue';
import {
  findRun,
  migrateSchema,
  noSuchRun,
  type RegisteredGuard,
  waitingByClass,
  waitingGuards,
} from '@tocsin/store';
import { type ListenAt, Telemetry } from '@tocsin/telemetry';
import type { Logger } from 'pino';

/** About half a minute of work on two CPU cores: enough for calibration to pay off. */
const CALIBRATE_AFTER_TOKENS = 30_000;
/** Default drain timeout. */
export const DEFAULT_DRAIN_MS = 60_000;
/** One of them is for the reconciler, while this worker leads; one is for metrics. */
const POOL_MAX = 6;

interface RunWorkerOptions {
  databaseUrl: string;
  backend: QueueBackend;
  guard: string;
  backbone?: string;
  device?: string;
  precision?: string;
  threads?: number;
  cacheDir?: string;
  /** Restricts the worker to this run, which must use its guard. */
  runId?: number;
  /** Address for metrics and health; none by default. */
  listen?: ListenAt;
  version: string;
  log: Logger;
  /** Called when the worker is ready to take parcels. */
  onReady?: () => void;
  /** Drains and stops the worker. */
  signal: AbortSignal;
  /** Drain timeout: parcels not finished in time are released to the queue. */
  drainMs?: number;
  /** Starts the engine, `Scorer.start` by default; tests replace it. */
  startScorer?: typeof Scorer.start;
}

/**
 * A whole worker: opens the guard, starts the engine, and scores until the signal aborts. It also finishes its guard's runs
 * that no command waits for.
 * @throws UserError for an unreachable or unsuitable server, a newer schema, or a run of another guard
 */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { log, databaseUrl, listen, version, signal } = options;
  // Before anything listens and would have to be closed.
  checkServerUrl('DATABASE_URL', databaseUrl);
  const telemetry = await Telemetry.start({ role: 'worker', version, listen });
  const { readiness, tracing } = telemetry;
  // Aborts pending Postgres statements: when stopped before it is ready, or after the drain timeout.
  const over = new AbortController();
  const backend = { ...options.backend, telemetry: tracing.queue, interrupted: over.signal };
  const pool = createPool(databaseUrl, { applicationName: 'tocsin worker', max: POOL_MAX });
  readiness.hold('engine', 'the guard is not loaded yet');
  readiness.check('database', async () => void (await pool.query('select 1')));
  // The queue in Postgres uses the same database.
  if (backend.kind === 'redis') readiness.check('queue', () => prepareBackend(backend));
  signal.addEventListener('abort', () => readiness.hold('draining', 'stopped'), { once: true });
  cancelWhenInterrupted(pool, over.signal, { graceMs: 0 });
  if (telemetry.url !== undefined) log.info({ at: telemetry.url }, 'serving metrics');
  try {
    const { guard, registered } = await abortable(prepare(pool, { ...options, backend }), signal);
    const cancelStatements = (): void => over.abort();
    await workWith(guard, registered, pool, { ...options, backend, telemetry, cancelStatements });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
    over.abort();
    log.info('stopped before the worker was ready');
  } finally {
    await telemetry.close();
    await pool.end();
  }
}

/** Checks the servers, and opens the guard. */
async function prepare(
  pool: Pool,
  { databaseUrl, backend, log, runId, ...options }: RunWorkerOptions,
): Promise<{ guard: OpenGuard; registered: RegisteredGuard }> {
  await requireConnection(pool, databaseUrl);
  const warning = await withRetry(() => migrateSchema(pool));
  if (warning !== undefined) log.warn(warning);
  await prepareBackend(backend);
  const guard = await openGuard(options.guard, { ...options, onEvent: ({ message }) => log.info(message) });
  const registered = await registerOpenGuard(pool, guard);
  const working = { id: registered.id, text: guardText(guard), fingerprint: guard.fingerprint };
  if (runId !== undefined) await withRetry(() => requireGuardOfRun(pool, runId, working));
  await withRetry(() => warnOfOtherGuards(pool, working, log));
  return { guard, registered };
}

async function workWith(
  guard: OpenGuard,
  registered: RegisteredGuard,
  pool: Pool,
  options: RunWorkerOptions & { telemetry: Telemetry; cancelStatements: () => void },
): Promise<void> {
  const { log, signal, backend, threads, drainMs = DEFAULT_DRAIN_MS, telemetry } = options;
  const { startScorer = Scorer.start } = options;
  const { metrics, readiness, tracing } = telemetry;
  const scorer: Scorer = await startScorer(guard, {
    threads,
    calibrateAfter: CALIBRATE_AFTER_TOKENS,
    onRestart: (reason) => {
      metrics.onEngineRestart();
      log.warn({ reason }, 'restarting the engine process');
    },
    onBudget: (tokens) => log.warn({ tokens }, 'a batch did not fit into memory: reducing the batch size'),
    onPass: (pass) => {
      metrics.onPass(pass, scorer.costModel.budgetTokens);
      const { lane, rows, tokens, runMs } = pass;
      const facts = { 'tocsin.class': lane, 'tocsin.rows': rows, 'tocsin.tokens': tokens };
      tracing.ended('forward pass', facts, runMs);
    },
  });
  try {
    metrics.watchQueue(guard.fingerprint.slice(0, 12), () => waitingByClass(pool, registered.id));
    readiness.clear('engine');
    // An engine process that dies while idle is noticed by nothing else.
    readiness.check('engine', () => scorer.ready());
    log.info(
      { guard: guard.fingerprint.slice(0, 12), engine: await scorer.enginePid(), ...scorer.costModel },
      'worker ready',
    );
    options.onReady?.();
    const start = (onFailure: (error: Error) => void): Worker =>
      new Worker({
        pool,
        backend,
        queue: registered.queue,
        scorer,
        tracing,
        onParcel: metrics.onParcel,
        onLeaseLost: metrics.onLeaseLost,
        onFailure,
        onError: (error) => log.warn({ reason: error.message }, 'the queue is not reachable'),
        onSuspect: (parcel, verdict) =>
          log.warn({ parcel, verdict }, 'quarantined a parcel: workers crashed while scoring it'),
      });
    const givenBack = await reconcilingWhile(pool, registered, options, () =>
      scoreUntil(signal, { drainMs, cancelStatements: options.cancelStatements }, start),
    );
    if (givenBack === 0) log.info({ ...scorer.counts }, 'worker drained');
    else log.warn({ parcels: givenBack, drainMs }, 'drain timeout: released unfinished parcels');
  } finally {
    await scorer.close();
  }
}

async function reconcilingWhile<T>(
  pool: Pool,
  guard: RegisteredGuard,
  { backend, log, cancelStatements }: RunWorkerOptions & { cancelStatements: () => void },
  work: () => Promise<T>,
): Promise<T> {
  const queue = new ParcelQueue(backend, queueNameOf(guard.queue));
  const over = new AbortController();
  const onError = (error: Error): void => {
    if (!over.signal.aborted)
      log.warn({ reason: error.message }, 'store and queue cannot be reconciled; trying again');
  };
  const reconciling = reconcile({ pool, queue, guardId: guard.id, onError }, over.signal).catch(() => {
    // It ends with the signal only.
  });
  try {
    return await work();
  } finally {
    over.abort();
    // The worker holds nothing any more: what still waits is for nothing.
    cancelStatements();
    await reconciling;
    await queue.close();
  }
}

/**
 * Runs a worker until the signal aborts or a parcel fails, which means that the problem is not the parcel.
 * @returns the number of released parcels
 */
async function scoreUntil(
  signal: AbortSignal,
  { drainMs, cancelStatements }: { drainMs: number; cancelStatements: () => void },
  start: (onFailure: (error: Error) => void) => Worker,
): Promise<number> {
  const broken = new AbortController();
  const worker = start((error) => broken.abort(error));
  await aborted(AbortSignal.any([signal, broken.signal]));
  const draining = worker.close(drainMs);
  // After the worker's own timer, which releases its parcels first, so that a cancelled statement does not count as a
  // failure. The reconciler may take longer than the worker.
  setTimeout(cancelStatements, drainMs).unref();
  const givenBack = await draining;
  broken.signal.throwIfAborted();
  return givenBack;
}

/** A worker's guard. */
interface WorkingGuard {
  id: number;
  /** Name for messages. */
  text: string;
  fingerprint: string;
}

/** @throws UserError when the run uses another guard: this worker would never take its parcels */
async function requireGuardOfRun(pool: Pool, runId: number, guard: WorkingGuard): Promise<void> {
  const run = await findRun(pool, runId);
  if (run === undefined) throw noSuchRun(runId);
  if (run.fingerprint === guard.fingerprint) return;
  throw new UserError(
    `run ${runId} is to be scored by ${named(run.guard, run.fingerprint)}, and this worker's guard is ${named(guard.text, guard.fingerprint)}`,
    { hint: 'Start the worker with the --guard, --backbone and --precision of the run.' },
  );
}

/** Warns when the database only has work for other guards: this is probably the wrong guard. */
async function warnOfOtherGuards(pool: Pool, guard: WorkingGuard, log: Logger): Promise<void> {
  const waiting = await waitingGuards(pool);
  if (waiting.length === 0 || waiting.some(({ guardId }) => guardId === guard.id)) return;
  const others = waiting.map(({ ref, fingerprint, parcels }) => `${named(ref, fingerprint)} (${parcels})`);
  log.warn(
    { guard: named(guard.text, guard.fingerprint), others },
    'no parcel waits for this guard, but parcels wait for other guards',
  );
}

const named = (text: string, fingerprint: string): string => `${text} [${fingerprint.slice(0, 12)}]`;
