/** A worker that reports every forward pass to its parent. Argument: JSON of WorkerSetup. */
import { openGuard, type Pass, Scorer } from '@tocsin/engine';
import { Worker } from '@tocsin/pipeline';
import { createPool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';

export interface WorkerSetup {
  guard: string;
  databaseUrl: string;
  backend: QueueBackend;
  /** The uuid that names the guard's queues. */
  queue: string;
}

export type WorkerMessage = { ready: true } | { pass: Pass };

const setup = JSON.parse(process.argv[2] ?? '') as WorkerSetup;
const tell = (message: WorkerMessage): void => void process.send?.(message);

const pool = createPool(setup.databaseUrl, { applicationName: 'tocsin bench worker', max: 5 });
const scorer = await Scorer.start(await openGuard(setup.guard), {
  calibrateAfter: 0,
  onPass: (pass) => tell({ pass }),
});
const worker = new Worker({
  pool,
  backend: setup.backend,
  queue: setup.queue,
  scorer,
  onFailure: (error) => {
    throw error;
  },
});
await worker.ready();
tell({ ready: true });
process.once('SIGTERM', async () => {
  await worker.close();
  await scorer.close();
  await pool.end();
  process.disconnect();
});
