/** Exit codes of every command. */
export const EXIT = {
  ok: 0,
  failed: 1,
  /** Complete, but some rows could not be scored; the output names them. */
  someRejected: 2,
  /** Ctrl-C, as shells report it. */
  interrupted: 130,
} as const;

/** The reason of an abort by Ctrl-C or SIGTERM. */
export class Interrupted extends Error {
  constructor(signal: NodeJS.Signals) {
    super(`interrupted by ${signal}`);
    this.name = 'Interrupted';
  }
}

/** A signal that aborts on the first SIGINT or SIGTERM, for a clean shutdown. The second one exits immediately. */
export function untilInterrupted(): { signal: AbortSignal; dispose: () => void } {
  const controller = new AbortController();
  const listener = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Interrupted(name));
  };
  process.on('SIGINT', listener);
  process.on('SIGTERM', listener);
  return {
    signal: controller.signal,
    dispose: () => {
      process.off('SIGINT', listener);
      process.off('SIGTERM', listener);
    },
  };
}

/** Runs a serving command until it is stopped, which is a success at any point. */
export async function untilToldToStop(command: (told: AbortSignal) => Promise<void>): Promise<void> {
  const { signal, dispose } = untilInterrupted();
  try {
    await command(signal);
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
  } finally {
    dispose();
  }
}

/**
 * Runs a scoring command until it is done or interrupted.
 * @returns its exit code
 */
export async function untilDoneOrInterrupted(
  command: (interrupted: AbortSignal) => Promise<number>,
): Promise<number> {
  const { signal, dispose } = untilInterrupted();
  try {
    return await command(signal);
  } catch (error) {
    if (!(signal.aborted && signal.reason instanceof Interrupted)) throw error;
    console.error('Stopped. The scores so far are kept: the same command resumes.');
    return EXIT.interrupted;
  } finally {
    dispose();
  }
}
