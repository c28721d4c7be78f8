import { Loop } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { attendBatch, type BatchRow, forgetFiles, leaveBatch, settleBatches, takeBatch } from '@tocsin/store';
import type { FastifyBaseLogger } from 'fastify';
import { loggedError } from '../../http/log.js';
import type { OpenaiOptions } from '../models.js';
import { failBatch, finalizeBatch, wholeFault } from './finalize-batch.js';
import { submitBatch } from './submit-batch.js';

const SECOND = 1_000;
/** Interval for finding batches of other processes and finished runs. */
const LOOK_EVERY_MS = 1 * SECOND;
/** Several heartbeats fit into the time after which a process counts as dead. */
const ATTEND_EVERY_MS = 3 * SECOND;
const SWEEP_EVERY_MS = 10 * 60 * SECOND;
/** Batches that one process works on concurrently. */
const AT_ONCE = 2;
/** A batch claimed this often without finishing counts as a poison batch, and fails. */
const MAX_TAKES = 8;

export interface BatchKeeperOptions extends Pick<OpenaiOptions, 'pool' | 'guards' | 'submit'> {
  log: FastifyBaseLogger;
}

/**
 * Processes batches: submits them as runs, and writes their files when the runs finish. All state is in the database: any
 * number of processes share the work, and a batch of a dead process is claimed by another.
 */
export class BatchKeeper {
  readonly #options: BatchKeeperOptions;
  readonly #working = new Set<Promise<void>>();
  #sweptAt = Number.NEGATIVE_INFINITY;
  #loop: Loop | undefined;

  constructor(options: BatchKeeperOptions) {
    this.#options = options;
  }

  start(): void {
    this.#loop = new Loop((signal) => this.#keep(signal), {
      everyMs: LOOK_EVERY_MS,
      onError: (error) => this.#options.log.warn(loggedError(error), 'polling the batches failed'),
    });
  }

  /** Wakes the loop. */
  nudge(): void {
    this.#loop?.wake();
  }

  /** Work in progress is aborted; another process resumes it. */
  async close(): Promise<void> {
    await this.#loop?.close(new Error('the server is stopping'));
    await Promise.all(this.#working);
  }

  async #keep(signal: AbortSignal): Promise<void> {
    const { pool } = this.#options;
    await this.#sweep(pool);
    await settleBatches(pool);
    await this.#takeWhatThereIs(pool, signal);
  }

  async #sweep(pool: Pool): Promise<void> {
    if (performance.now() - this.#sweptAt < SWEEP_EVERY_MS) return;
    this.#sweptAt = performance.now();
    await forgetFiles(pool);
  }

  async #takeWhatThereIs(pool: Pool, over: AbortSignal): Promise<void> {
    while (this.#working.size < AT_ONCE && !over.aborted) {
      const batch = await takeBatch(pool);
      if (batch === undefined) return;
      const work = this.#work(batch, over).finally(() => {
        this.#working.delete(work);
        this.nudge();
      });
      this.#working.add(work);
    }
  }

  async #work(batch: BatchRow, over: AbortSignal): Promise<void> {
    const { pool, log } = this.#options;
    const about = { batch: batch.id };
    const changed = new AbortController();
    const signal = AbortSignal.any([over, changed.signal]);
    const attending = new Loop(() => this.#attend(batch, changed), {
      everyMs: ATTEND_EVERY_MS,
      pauseFirst: true,
      onError: this.#cannot(about),
    });
    try {
      if (batch.takes > MAX_TAKES) await this.#giveUp(batch);
      else if (batch.state === 'validating') await submitBatch(this.#options, batch, signal);
      else await finalizeBatch(this.#options, batch, signal);
    } catch (error) {
      // Other errors are retried by any process once the claim has expired.
      if (signal.aborted) await leaveBatch(pool, batch).catch(this.#cannot(about));
      else log.error({ ...about, ...loggedError(error) }, 'a batch could not be worked on');
    } finally {
      await attending.close();
    }
  }

  /** Renews the claim on the batch; aborts `changed` when the batch was cancelled or claimed by another process. */
  async #attend(batch: BatchRow, changed: AbortController): Promise<void> {
    const now = await attendBatch(this.#options.pool, batch);
    if (now?.state === batch.state) return;
    changed.abort(new Error(now === undefined ? 'another has taken the batch' : `the batch is ${now.state}`));
  }

  /** For errors that need not end the work: the next round retries. */
  #cannot(about: object): (error: unknown) => void {
    return (error) =>
      this.#options.log.warn({ ...about, ...loggedError(error) }, 'the state of a batch could not be stored');
  }

  async #giveUp(batch: BatchRow): Promise<void> {
    const message = `The server could not complete this batch in ${MAX_TAKES} tries; see its log for the reason.`;
    await failBatch(this.#options.pool, batch, [wholeFault('server_error', message)]);
  }
}
