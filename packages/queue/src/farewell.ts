import { TimeoutError, within } from '@tocsin/core';
import type { JobQueue, JobWorker } from './backend.js';

/** A server that takes longer counts as unreachable. */
const ANSWER_MS = 3_000;

/** Closes a queue. If the server does not answer, drops the connection: an orderly close would wait forever. */
export async function closeQueue(queue: JobQueue): Promise<void> {
  if (!(await answers(queue.close()))) await answers(queue.disconnect());
}

/**
 * Closes a worker: it takes no new jobs and finishes the current ones, then closes like a queue.
 * @param held resolves when its jobs are finished
 */
export async function closeWorker(worker: JobWorker, held: () => Promise<unknown>): Promise<void> {
  const closed = worker.close();
  // Awaited below; until then a rejection must not be unhandled.
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
