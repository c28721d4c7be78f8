import { aborted } from '@tocsin/core';

/** A part of a command that runs until it is stopped: workers, a server, a scheduler. */
export interface Service {
  /** Name for messages. */
  readonly name: string;
  /** Resolves when it serves. @param signal aborts when the command is stopped, to cut a slow start short */
  start(signal: AbortSignal): Promise<void>;
  /** Closes it. Called once, also after a failed start. */
  close(): Promise<void>;
  /** Aborts when it cannot continue, with the reason. */
  readonly failed?: AbortSignal;
}

/**
 * Starts services in order and runs them until the signal aborts or one of them fails; then closes them in reverse order.
 * @param onStarted called when all of them serve
 * @throws the error of a failed service
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
    // Errors caused by the abort are ignored.
    if (!signal.aborted) throw error;
  } finally {
    for (const service of begun) await service.close();
  }
}
