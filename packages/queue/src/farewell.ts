import { TimeoutError, within } from '@tocsin/core';
import type { JobQueue, JobWorker } from './backend.js';

/** A server that takes longer is away. */
const ANSWER_MS = 3_000;

/** Closes a queue. The connection to a server that does not answer is cut: a farewell would wait for it, for ever. */
export async function closeQueue(queue: JobQueue): Promise<void> {
  if (!(await answers(queue.close()))) await answers(queue.disconnect());
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
  if (!(await answers(closed))) await answers(worker.cutOff());
}

/** @returns whether it has answered */
async function answers(work: Promise<unknown>): Promise<boolean> {
  try {
    await within(ANSWER_MS, work);
    return true;
  } catch (error) {
    if (error instanceof TimeoutError) return false;
    throw error;
  }
}
