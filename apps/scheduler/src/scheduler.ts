import { Loop } from '@tocsin/core';
import { submitScheduled } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import { clockNameOf, type QueueBackend, ScheduleClock } from '@tocsin/queue';
import {
  type ClaimedFiring,
  claimFirings,
  installationId,
  listSchedules,
  type Message,
  takeFiring,
} from '@tocsin/store';
import type { Telemetry } from '@tocsin/telemetry';
import { nextTime } from './cron.js';
import { endFirings, type SubmitScheduled, submitFiring } from './firings.js';
import { messageTo, type ScheduleMeasures, UNMEASURED } from './messages.js';
import { type DeliverOptions, deliverDue } from './webhook/deliver.js';

/** Longest delay in noticing missed ticks and ended runs. */
const LOOK_EVERY_MS = 5_000;
const WARN_EVERY_MS = 60_000;
/** Concurrent submissions per process: each holds two windows and a tokenizer. */
const SUBMISSIONS = 2;
/** Concurrent webhook calls per process. */
const DELIVERIES = 4;

export interface SchedulerOptions
  extends Pick<DeliverOptions, 'pool' | 'log' | 'allowPrivate' | 'resolve' | 'waitAfter'> {
  backend: QueueBackend;
  telemetry: Telemetry;
  /** Replaces `submitScheduled` in tests without a guard. */
  submit?: SubmitScheduled;
  /** Environment with the webhook secrets; defaults to the process's own. */
  env?: NodeJS.ProcessEnv;
  lookEveryMs?: number;
  /** None by default. */
  measures?: ScheduleMeasures;
}

/**
 * Runs the schedules of a database, together with any number of other processes. All state is in Postgres, and each step
 * belongs to the process that claims its row:
 *   schedule due -> firing `due` -> `submitting` -> `scoring` (workers) -> `done` + delivery `pending` -> `delivered`
 * Steps of a killed process are claimed by another. The queue's clock only wakes the processes.
 */
export class Scheduler {
  readonly #options: SchedulerOptions & { measures: ScheduleMeasures; submit: SubmitScheduled };
  readonly #background = new Set<Promise<void>>();
  readonly #clock: ScheduleClock;
  readonly #loop: Loop;
  #settingClock = false;
  #ending = false;
  #submissions = 0;
  #deliverers = 0;

  private constructor(options: SchedulerOptions, installation: string) {
    const { log } = options;
    const submit: SubmitScheduled = (request, context) =>
      submitScheduled(options, request, {
        ...context,
        onNotice: (notice) => log.warn(notice),
        onEvent: (message) => log.info(message),
      });
    this.#options = { measures: UNMEASURED, submit, ...options };
    let warnedAt = Number.NEGATIVE_INFINITY;
    const onError = (error: Error): void => {
      // The client reconnects every second, and reports each failure.
      if (performance.now() - warnedAt < WARN_EVERY_MS) return;
      warnedAt = performance.now();
      options.log.warn({ reason: error.message }, 'the queue is unreachable; polling the schedules');
    };
    this.#clock = new ScheduleClock(options.backend, clockNameOf(installation), {
      onDue: () => this.#wake(),
      onError,
    });
    this.#loop = new Loop(() => this.#look(), {
      everyMs: options.lookEveryMs ?? LOOK_EVERY_MS,
      onError: this.#failed('polling the schedules'),
    });
  }

  /** Starts running the schedules. Each schedule that came due while none ran fires once. */
  static async start(options: SchedulerOptions): Promise<Scheduler> {
    return new Scheduler(options, await installationId(options.pool));
  }

  /** Stops. An unfinished submission is left to another process, or to the next start. */
  async close(): Promise<void> {
    await this.#loop.close(new Error('the scheduler is closed'));
    await Promise.all(this.#background);
    await this.#clock.close();
  }

  #wake(): void {
    this.#loop.wake();
  }

  async #look(): Promise<void> {
    for (const step of [this.#setClock, this.#claim, this.#submit, this.#end, this.#deliver]) {
      if (this.#loop.signal.aborted) return;
      // One failure does not stop the others.
      await step().catch(this.#failed('polling the schedules'));
    }
  }

  #failed(what: string): (error: unknown) => void {
    return (error) => {
      // A statement may have been cancelled by stopping.
      if (this.#loop.signal.aborted) return;
      this.#options.log.warn({ err: error }, `${what} has failed; trying again`);
    };
  }

  readonly #setClock = async (): Promise<void> => {
    if (this.#settingClock) return;
    const schedules = await listSchedules(this.#options.pool);
    const entries = schedules
      .filter(({ enabled }) => enabled)
      .map(({ id, cron, timeZone }) => ({ id: `schedule-${id}`, cron, timeZone }));
    this.#settingClock = true;
    // Not awaited: an unreachable queue must not block the schedules.
    this.#clock
      .set(entries)
      .catch((error: Error) => this.#options.log.warn({ reason: error.message }, 'cannot set the clock'))
      .finally(() => {
        this.#settingClock = false;
      });
  };

  readonly #claim = async (): Promise<void> => {
    const { pool, log, measures } = this.#options;
    for (const { id, schedule, dueAt, skipped } of await claimFirings(pool, {
      nextAfter: nextTime,
      message: skippedMessage,
    })) {
      const entry = { schedule: schedule.name, firing: id, dueAt };
      if (skipped === null) log.info(entry, 'schedule due');
      else {
        log.warn({ ...entry, reason: skipped }, 'schedule due, but skipped');
        measures.onFiring('skipped');
      }
    }
  };

  readonly #submit = async (): Promise<void> => {
    while (this.#submissions < SUBMISSIONS && !this.#loop.signal.aborted) {
      const firing = await takeFiring(this.#options.pool);
      if (firing === undefined) return;
      this.#submissions++;
      this.#inBackground(
        submitFiring(firing, { ...this.#options, signal: this.#loop.signal }).finally(() => {
          this.#submissions--;
        }),
      );
    }
  };

  readonly #end = async (): Promise<void> => {
    if (this.#ending) return;
    this.#ending = true;
    // In the background: a summary scans every row of a run.
    this.#inBackground(
      endFirings(this.#options)
        .then((ended) => {
          if (ended > 0) this.#wake();
        })
        .finally(() => {
          this.#ending = false;
        }),
      { wake: false },
    );
  };

  readonly #deliver = async (): Promise<void> => {
    const { env = process.env } = this.#options;
    for (; this.#deliverers < DELIVERIES; this.#deliverers++) {
      this.#inBackground(
        deliverDue({ ...this.#options, env, signal: this.#loop.signal })
          .then(() => undefined)
          .finally(() => {
            this.#deliverers--;
          }),
        { wake: false },
      );
    }
  };

  #inBackground(work: Promise<void>, { wake = true } = {}): void {
    const done = work.catch(this.#failed('processing a schedule')).finally(() => {
      this.#background.delete(done);
      if (wake) this.#wake();
    });
    this.#background.add(done);
  }
}

function skippedMessage({ schedule, dueAt, cause, skipped }: ClaimedFiring): Message | undefined {
  const event = { type: 'run.skipped', data: { reason: skipped ?? '' } } as const;
  return messageTo(schedule, { schedule: schedule.name, dueAt, cause }, event);
}

/** Wakes the schedulers of a database after a schedule was changed. */
export async function wakeSchedulers(pool: Pool, backend: QueueBackend): Promise<void> {
  const clock = new ScheduleClock(backend, clockNameOf(await installationId(pool)));
  try {
    await clock.lookNow();
  } finally {
    await clock.close();
  }
}
