const SECOND = 1;
const HOUR = 3600 * SECOND;

/** Attempts at a delivery, over about 16 hours. */
export const MAX_ATTEMPTS = 12;
const FIRST_WAIT = 5 * SECOND;
const FACTOR = 3;
const LONGEST_WAIT = 4 * HOUR;
/** Receivers that come back all at once are not called by everybody at once. */
const JITTER = 0.2;

/**
 * Seconds until the next attempt: 5 s, 15 s, 45 s ... 4 h, each a fifth shorter to a fifth longer. A receiver that asks
 * for more time (Retry-After) has it, up to 4 h.
 * @param attempts made so far, from 1
 * @returns undefined when there were enough
 */
export function waitAfter(
  attempts: number,
  retryAfterSeconds = 0,
  random: () => number = Math.random,
): number | undefined {
  if (attempts >= MAX_ATTEMPTS) return undefined;
  const wait = Math.min(FIRST_WAIT * FACTOR ** (attempts - 1), LONGEST_WAIT);
  const jittered = wait * (1 + JITTER * (2 * random() - 1));
  return Math.max(jittered, Math.min(retryAfterSeconds, LONGEST_WAIT));
}
