import { setTimeout as sleep } from 'node:timers/promises';
import type { JobQueue, JobWorker } from './backend.js';

/** A server that takes longer is away. */
const ANSWER_MS = 3_000;

/** Closes a queue. The connection to a server that does not answer is cut: a farewell would wait for it, for ever. */
export async function closeQueue(queue: JobQueue): Promise<void> {
  if (!(await within(ANSWER_MS, queue.close()))) await within(ANSWER_MS, queue.disconnect());
}

/**
 * Closes a worker: it takes nothing new, and finishes what it holds. Then the same holds as for a queue.
 * @param held resolves when what it holds is finished
 */
export async function closeWorker(worker: JobWorker, held: () => Promise<unknown>): Promise<void> {
  const closed = worker.close();
  // It is waited for below; until then it may fail.
  closed.catch(() => {});
  await held();
  if (!(await within(ANSWER_MS, closed))) await within(ANSWER_MS, worker.cutOff());
}

/** @returns whether it has ended within so many milliseconds */
async function within(ms: number, work: Promise<unknown>): Promise<boolean> {
  const over = new AbortController();
  const late = sleep(ms, false, { signal: over.signal }).catch(() => false);
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    over.abort();
  }
}
