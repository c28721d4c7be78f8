import { once } from 'node:events';
import { queueNameOf } from '@tocsin/queue';
import { expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { RedisServer } from '../setup/redis.js';
import { spawnScript } from './backends.js';

/** Holds a parcel; on SIGTERM it closes everything, and exits when nothing keeps it alive. */
const HOLDER = `
  import { ParcelQueue, ScheduleClock } from '@tocsin/queue';
  const parcels = new ParcelQueue(backend, queue);
  const clock = new ScheduleClock(backend, 'clock', { onDue: () => {} });
  let release;
  const released = new Promise((resolve) => { release = resolve; });
  const worker = new ParcelWorker(backend, queue, async (id) => {
    console.log('held');
    await released;
    console.log('finished');
  }, { concurrency: 2 });
  await Promise.all([worker.ready(), clock.ready(), parcels.add([1])]);
  process.once('SIGTERM', async () => {
    const closed = Promise.all([parcels.close(), worker.close(), clock.close()]);
    release();
    await closed;
    console.log('closed');
  });`;

test.each(['SIGKILL', 'SIGSTOP'] as const)(
  'queue, worker and clock are closed without a server (%s): what is held is finished, and the process ends',
  async (signal) => {
    const redis = await RedisServer.start();
    const holder = spawnScript(HOLDER, { kind: 'redis', url: redis.url }, queueNameOf('gone'));
    try {
      let said = '';
      holder.stdout?.setEncoding('utf8').on('data', (text: string) => {
        said += text;
      });
      await until(() => (said.includes('held') ? true : undefined));
      process.kill(redis.pid, signal);
      const ended = once(holder, 'exit');
      holder.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(said).toBe('held\nfinished\nclosed\n');
    } finally {
      holder.kill('SIGKILL');
      await redis.kill();
    }
  },
);
