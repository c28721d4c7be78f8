import { aborted } from '@tocsin/core';

/** Something that a command keeps running until it is stopped: workers, a server, a scheduler. */
export interface Service {
  /** For people. */
  readonly name: string;
  /** Resolves when it serves. @param signal the command is to stop: what takes long can be left off */
  start(signal: AbortSignal): Promise<void>;
  /** Ends it, in its own time. Called once, also when it did not start. */
  close(): Promise<void>;
  /** Aborts when it cannot go on, with the reason. */
  readonly failed?: AbortSignal;
}

/**
 * Starts services one after another, and keeps them running until the signal or until one of them cannot go on; then
 * closes them in the opposite order.
 * @param onStarted called when all of them serve
 * @throws what made a service fail
 */
export async function runServices(
  services: readonly Service[],
  signal: AbortSignal,
  onStarted: () => void = () => {},
): Promise<void> {
  const begun: Service[] = [];
  try {
    for (const service of services) {
      signal.throwIfAborted();
      begun.unshift(service);
      await service.start(signal);
    }
    onStarted();
    const failures = services.flatMap(({ failed }) => (failed === undefined ? [] : [failed]));
    await aborted(AbortSignal.any([signal, ...failures]));
    for (const failed of failures) failed.throwIfAborted();
  } catch (error) {
    // Whatever is broken off by the signal is not a failure.
    if (!signal.aborted) throw error;
  } finally {
    for (const service of begun) await service.close();
  }
}
