/** Sends floods to an API, so that the process that measures other requests does nothing else. Arguments: origin, key. */
import { type Answer, closeConnections, sendFlood } from './flood-requests.js';

/** From the parent: the seed of a flood to send. To the parent: its answers. */
export type FloodMessage = { answers: Answer[] };

const [, , origin = '', key = ''] = process.argv;
process.on('message', async (seed: number) => {
  const message: FloodMessage = { answers: await sendFlood(origin, key, seed) };
  process.send?.(message);
});
process.once('disconnect', closeConnections);
