import {
  closeQueue,
  closeWorker,
  type JobQueue,
  type JobWorker,
  type LookJob,
  listenForErrors,
  openJobQueue,
  openJobWorker,
  type QueueBackend,
} from './backend.js';

/** A schedule as the clock needs it. */
export interface ClockEntry {
  /** Unlike that of any other schedule. */
  id: string;
  /** Five fields. */
  cron: string;
  /** IANA. */
  timeZone: string;
}

/**
 * The clock of a database's schedules.
 * @param installation the uuid of the database: another one on the same Redis server has another clock
 */
export function clockNameOf(installation: string): string {
  return `schedules-${installation}`;
}

/**
 * Notifies one of several processes when a schedule comes due, with BullMQ's job schedulers on either backend. Like every
 * queue it may lose its content; the times are also in Postgres, where the scheduler finds missed ones.
 */
export class ScheduleClock {
  readonly #queue: JobQueue;
  readonly #worker: JobWorker | undefined;
  #looks = 0;

  /**
   * @param onDue called when schedules may be due; without it, this clock only notifies others
   * @param onError called with connection errors; the clock reconnects on its own
   */
  constructor(
    backend: QueueBackend,
    name: string,
    { onDue, onError = () => {} }: { onDue?: () => void; onError?: (error: Error) => void } = {},
  ) {
    this.#queue = openJobQueue(backend, name);
    listenForErrors(backend, this.#queue, onError);
    if (onDue === undefined) return;
    this.#worker = openJobWorker<LookJob>(backend, name, async () => onDue(), 1);
    listenForErrors(backend, this.#worker, onError);
  }

  /** Replaces the clock's entries; unchanged ones are left alone. */
  async set(entries: readonly ClockEntry[]): Promise<void> {
    const known = new Map((await this.#queue.getJobSchedulers()).map((entry) => [entry.key, entry]));
    for (const { id, cron, timeZone } of entries) {
      const there = known.get(id);
      known.delete(id);
      if (there?.pattern === cron && there.tz === timeZone) continue;
      await this.#queue.upsertJobScheduler(id, { pattern: cron, tz: timeZone }, { name: 'look', data: {} });
    }
    for (const id of known.keys()) await this.#queue.removeJobScheduler(id);
  }

  /** Notifies a listener now. */
  async lookNow(): Promise<void> {
    this.#looks++;
    const jobId = `look-${process.pid}-${Date.now()}-${this.#looks}`;
    await this.#queue.addBulk([{ name: 'look', data: {}, opts: { jobId } }]);
  }

  async ready(): Promise<void> {
    await this.#worker?.waitUntilReady();
  }

  /** Closes the connections, even if the server does not answer. */
  async close(): Promise<void> {
    const worker = this.#worker;
    await Promise.all([
      closeQueue(this.#queue),
      // Its jobs only say that it is time to look.
      worker && closeWorker(worker, () => Promise.resolve()),
    ]);
  }
}
