import { isRunning, type ProcessIdentity } from './process-identity.js';

const INTERVAL = 250;

/**
 * Calls `onGone` once when the process has ended, whoever started it. Does not keep our own process alive.
 * @returns a function that ends the watch
 */
export function watch(identity: ProcessIdentity, onGone: () => void): () => void {
  let ended = false;
  const look = async (): Promise<void> => {
    const running = await isRunning(identity).catch(() => {
      // We could not look (no file descriptor left, say): that tells nothing about the server.
      return true;
    });
    if (ended) return;
    if (running) again();
    else onGone();
  };
  const again = (): void => {
    timer = setTimeout(look, INTERVAL).unref();
  };
  let timer: NodeJS.Timeout;
  again();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}
