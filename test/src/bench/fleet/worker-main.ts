/**
 * A worker as in `tocsin work`, with a simulated engine process. Argument: JSON of FleetWorkerSetup. It notifies its
 * parent when the engine is ready, and takes parcels after the parent's reply.
 */
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Scorer } from '@tocsin/engine';
import { runWorker } from '@tocsin/worker';
import { pino } from 'pino';
import type { FleetWorkerSetup } from './fleet-worker.js';
import { SIMULATED_COST } from './simulated-cost.js';

const ENGINE = fileURLToPath(new URL('./simulated-engine.js', import.meta.url));

const { cost, ...setup } = JSON.parse(process.argv[2] ?? '') as FleetWorkerSetup;
process.env[SIMULATED_COST] = JSON.stringify(cost);
const stop = new AbortController();
process.once('SIGTERM', () => stop.abort());

await runWorker({
  ...setup,
  version: 'bench',
  log: pino({ level: 'warn' }, pino.destination(2)),
  signal: stop.signal,
  startScorer: async (guard, options) => {
    const scorer = await Scorer.start(guard, { ...options, costModel: cost, engineMain: ENGINE });
    process.send?.('ready');
    await Promise.race([once(process, 'message'), once(stop.signal, 'abort')]);
    return scorer;
  },
});
if (process.connected) process.disconnect();
