import { getSchedule, listDeliveries } from '@tocsin/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { ScheduleBed, SECRET } from './schedule-bed.js';

let bed: ScheduleBed;
beforeEach(async () => {
  bed = await ScheduleBed.open();
});
afterEach(() => bed.close());

test('neither the secret nor the path of the webhook stands in a log, and the secret in no table', async () => {
  await bed.startScheduler();
  const schedule = await bed.newSchedule();
  bed.receiver.answers = [500];
  await bed.fire(schedule);
  await bed.delivery(schedule);
  expect(bed.log).toContain('summary delivered');
  expect(bed.log).not.toContain('hidden-path');
  const { rows: tables } = await bed.pool.query(
    `select table_schema as schema, table_name as name from information_schema.tables
     where table_schema in ('tocsin', 'tocsin_queue') and table_type = 'BASE TABLE'`,
  );
  let stored = '';
  for (const { schema, name } of tables) {
    const { rows } = await bed.pool.query(`select t::text as row from ${schema}."${name}" t`);
    stored += rows.map(({ row }) => row).join('\n');
  }
  expect(stored).toContain('HOOK_SECRET');
  for (const text of [bed.log, stored]) expect(text).not.toContain(SECRET.slice('whsec_'.length, -4));
});

describe('a receiver that does not take it', () => {
  test('500 twice, then 200: three attempts of one message', async () => {
    await bed.startScheduler();
    const schedule = await bed.newSchedule();
    bed.receiver.answers = [500, 500, 200];
    await bed.fire(schedule);
    const delivery = await bed.delivery(schedule);
    expect(delivery).toMatchObject({ attempts: 3, lastStatus: 200, lastError: null });
    expect(bed.receiver.received).toHaveLength(3);
    expect(new Set(bed.receiver.received.map(({ id }) => id))).toEqual(new Set([delivery.id]));
    expect(new Set(bed.receiver.received.map(({ body }) => body)).size).toBe(1);
    const messages = () => bed.told.filter((told) => told.startsWith('message'));
    await expect.poll(messages).toEqual(['message retried', 'message retried', 'message delivered']);
  });

  test('410: no more is sent, and the runs go on', async () => {
    await bed.startScheduler();
    const schedule = await bed.newSchedule();
    bed.receiver.answers = [410];
    await bed.fire(schedule);
    expect(await bed.delivery(schedule, 'failed')).toMatchObject({ attempts: 1, lastStatus: 410 });
    expect((await getSchedule(bed.pool, 'nightly')).webhookClosed).toMatch(/410/);
    expect(await bed.fire(schedule)).toMatchObject({ state: 'done' });
    expect(bed.receiver.received).toHaveLength(1);
  });

  test('a private address is refused for good, and nothing arrives', async () => {
    await bed.startScheduler({ allowPrivate: false });
    const schedule = await bed.newSchedule();
    await bed.fire(schedule);
    expect(await bed.delivery(schedule, 'failed')).toMatchObject({
      attempts: 1,
      lastError: expect.stringMatching(/only https is called/),
    });
    await bed.pool.query('update schedules set webhook_url = $1', ['https://localhost:1/hook']);
    await bed.fire(schedule);
    await until(async () => {
      const [newest] = await listDeliveries(bed.pool, schedule.id, 1);
      return newest?.lastError?.startsWith('localhost is') ? true : undefined;
    });
    expect(bed.receiver.received).toEqual([]);
  });

  test('a secret that is not there is an attempt that failed, and the next process has it', async () => {
    const first = await bed.startScheduler({ env: {} });
    const schedule = await bed.newSchedule();
    await bed.fire(schedule);
    await until(async () => {
      const [delivery] = await listDeliveries(bed.pool, schedule.id, 1);
      return delivery?.lastError?.startsWith('HOOK_SECRET, the variable with') ? true : undefined;
    });
    await first.close();
    await bed.startScheduler();
    expect(await bed.delivery(schedule)).toMatchObject({ state: 'delivered' });
  });
});
