/**
 * A worker, as `tocsin work` runs it, whose engine process is simulated. Argument: JSON of FleetWorkerSetup. It tells its
 * parent when its engine is there, and takes parcels from the parent's answer on.
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
