/**
 * Sends floods to an API from a separate process, so that the measuring process is not slowed down. Arguments: origin,
 * key.
 */
import { type Answer, closeConnections, sendFlood } from './flood-requests.js';

/** From the parent: the seed of a flood. To the parent: its responses. */
export type FloodMessage = { answers: Answer[] };

const [, , origin = '', key = ''] = process.argv;
process.on('message', async (seed: number) => {
  const message: FloodMessage = { answers: await sendFlood(origin, key, seed) };
  process.send?.(message);
});
process.once('disconnect', closeConnections);
