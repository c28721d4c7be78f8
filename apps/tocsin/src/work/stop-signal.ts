import { untilInterrupted } from '../terminal/interrupt.js';

/**
 * SIGTERM or Ctrl-C. A worker that belongs to another command leaves Ctrl-C to it (a terminal sends it to both), and
 * drains when that command is gone.
 */
export function stopSignal(): { signal: AbortSignal; dispose: () => void } {
  if (process.send === undefined) return untilInterrupted();
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const ignore = (): void => {};
  process.on('SIGINT', ignore);
  process.once('SIGTERM', stop);
  process.once('disconnect', stop);
  return { signal: controller.signal, dispose: () => process.off('SIGINT', ignore) };
}
