import type { RunEvent } from '@tocsin/contract';
import { isOpen, Loop } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { findRun, runProgress } from '@tocsin/store';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import { onlyOwner, whoOf } from '../access/who.js';
import { EventHub } from '../http/event-hub.js';
import { loggedError } from '../http/log.js';
import { countersOf, ProgressMeter, progressFor } from './run-answer.js';

const EVERY_MS = 1_000;

/**
 * Publishes the progress of a run each second to any number of listeners until it ends. Without listeners it does not
 * poll.
 */
class RunFeed {
  readonly #pool: Pool;
  readonly #runId: number;
  readonly #ownOnly: boolean;
  readonly #hub = new EventHub();
  readonly #meter = new ProgressMeter();
  #last: { event: string; data: RunEvent } | undefined;

  constructor(pool: Pool, runId: number, ownOnly: boolean) {
    this.#pool = pool;
    this.#runId = runId;
    this.#ownOnly = ownOnly;
  }

  async join(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    await this.#hub.join(request, reply);
    if (this.#last !== undefined) this.#hub.send(this.#last.event, this.#last.data);
  }

  get runId(): number {
    return this.#runId;
  }

  get listeners(): number {
    return this.#hub.listeners;
  }

  /** @returns whether the run is still active */
  async tell(): Promise<boolean> {
    const run = await findRun(this.#pool, this.#runId);
    // The run was deleted.
    if (run === undefined) return false;
    const progress = this.#meter.look(await runProgress(this.#pool, run.id), run.state !== 'submitting');
    const over = !isOpen(run.state);
    const data = {
      id: run.id,
      state: run.state,
      counters: countersOf(run, this.#ownOnly),
      progress: progressFor(progress, run, this.#ownOnly),
    };
    this.#last = { event: over ? 'over' : 'progress', data };
    this.#hub.send(this.#last.event, data);
    return !over;
  }

  end(): void {
    this.#hub.end();
  }
}

/** Feeds of all watched runs. */
export class RunFeeds {
  readonly #pool: Pool;
  readonly #log: FastifyBaseLogger;
  /** Keyed by run, and by whether the listener sees only its own runs. */
  readonly #feeds = new Map<string, RunFeed>();
  readonly #loops = new Set<Loop>();

  constructor(pool: Pool, log: FastifyBaseLogger) {
    this.#pool = pool;
    this.#log = log;
  }

  async join(runId: number, request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const ownOnly = onlyOwner(whoOf(request)) !== undefined;
    const name = `${runId} ${ownOnly}`;
    const known = this.#feeds.get(name);
    const feed = known ?? new RunFeed(this.#pool, runId, ownOnly);
    this.#feeds.set(name, feed);
    await feed.join(request, reply);
    if (known === undefined) this.#watch(name, feed);
  }

  close(): void {
    for (const loop of this.#loops) void loop.close();
    for (const feed of this.#feeds.values()) feed.end();
    this.#feeds.clear();
  }

  #watch(name: string, feed: RunFeed): void {
    const tell = async (): Promise<void> => {
      if (feed.listeners > 0 && (await feed.tell())) return;
      void loop.close();
      this.#loops.delete(loop);
      if (this.#feeds.get(name) === feed) this.#feeds.delete(name);
      feed.end();
    };
    const loop = new Loop(tell, {
      everyMs: EVERY_MS,
      // Retried in the next round.
      onError: (error) =>
        this.#log.warn({ run: feed.runId, ...loggedError(error) }, 'cannot read the progress of a run'),
    });
    this.#loops.add(loop);
  }
}
