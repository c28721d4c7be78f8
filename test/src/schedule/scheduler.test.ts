import { prepareBackend } from '@tocsin/queue';
import { type SchedulerOptions, wakeSchedulers } from '@tocsin/scheduler';
import { cancelRun, failRun, fireNow, getSchedule } from '@tocsin/store';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { RedisServer } from '../setup/redis.js';
import { ScheduleBed, SECOND } from './schedule-bed.js';

let bed: ScheduleBed;
beforeEach(async () => {
  bed = await ScheduleBed.open();
});
afterEach(() => bed.close());

test('a schedule does not overlap itself: what comes due meanwhile is skipped, and told', async () => {
  bed.guard.gate = new AbortController();
  await bed.startScheduler();
  const schedule = await bed.newSchedule();
  const { id } = await fireNow(bed.pool, 'nightly');
  await until(() => (bed.guard.submissions === 1 ? true : undefined));
  await bed.pool.query('update schedules set next_at = now()');
  const skipped = await until(async () =>
    (await bed.firings(schedule)).find(({ state }) => state === 'skipped'),
  );
  expect(skipped.reason).toMatch(/^the last one is still going: due .*, submitting, run \d+$/);
  await expect(fireNow(bed.pool, 'nightly')).rejects.toThrow(/nightly is still going/);
  await until(() => bed.receiver.received[0]);
  expect(bed.receiver.verified(0)).toMatchObject({
    type: 'run.skipped',
    data: { schedule: 'nightly', cause: 'time' },
  });
  bed.guard.gate.abort();
  expect(await bed.over(schedule, id)).toMatchObject({ state: 'done' });
  expect(bed.guard.submissions).toBe(1);
  await until(() => bed.receiver.received[1]);
  await expect
    .poll(() => bed.told.toSorted())
    .toEqual(['firing done', 'firing skipped', 'late by seconds', 'message delivered', 'message delivered']);
});

test('a corpus that cannot be submitted, and a run that is cancelled, are told as failures', async () => {
  const failing: SchedulerOptions['submit'] = async () => {
    throw new TypeError('what a defect says');
  };
  const first = await bed.startScheduler({ submit: failing });
  const schedule = await bed.newSchedule();
  expect(await bed.fire(schedule)).toMatchObject({
    state: 'failed',
    reason: expect.stringMatching(/see the log/),
  });
  await until(() => bed.receiver.received[0]);
  expect(bed.receiver.verified(0)).toMatchObject({ type: 'run.failed', data: { run: null } });
  expect(bed.receiver.received[0]?.body).not.toContain('what a defect says');
  expect(bed.log).toContain('what a defect says');
  await first.close();

  bed.guard.rows = [['calm', 0.1]];
  await bed.startScheduler();
  const { id } = await fireNow(bed.pool, 'nightly');
  const run = await until(
    async () => (await bed.firings(schedule)).find(({ state }) => state === 'scoring')?.runId,
  );
  await cancelRun(bed.pool, run ?? 0);
  expect(await bed.over(schedule, id)).toMatchObject({ state: 'failed', reason: `run ${run} was cancelled` });

  const again = await fireNow(bed.pool, 'nightly');
  const broken = await until(
    async () => (await bed.firings(schedule)).find(({ state }) => state === 'scoring')?.runId,
  );
  await failRun(bed.pool, broken ?? 0, 'the disk is full');
  const reason = `run ${broken} has failed: the disk is full`;
  expect(await bed.over(schedule, again.id)).toMatchObject({ state: 'failed', reason });
  await until(() => bed.receiver.received[2]);
  expect(bed.receiver.verified(2)).toMatchObject({ type: 'run.failed', data: { run: broken, reason } });
  expect(bed.told.filter((told) => told.startsWith('firing'))).toEqual([
    'firing failed',
    'firing failed',
    'firing failed',
  ]);
});

describe('several schedulers', () => {
  test('each time fires once', async () => {
    await Promise.all([bed.startScheduler(), bed.startScheduler(), bed.startScheduler()]);
    const names = ['one', 'two', 'three', 'four'];
    const schedules = await Promise.all(
      names.map((name) => bed.newSchedule(name, new Date(Date.now() + SECOND))),
    );
    for (const schedule of schedules) {
      const first = await until(async () => (await bed.firings(schedule))[0]);
      expect(await bed.over(schedule, first.id)).toMatchObject({ state: 'done', cause: 'time' });
      await bed.delivery(schedule);
      expect(await bed.firings(schedule)).toHaveLength(1);
    }
    expect(bed.guard.submissions).toBe(names.length);
    expect(bed.receiver.received).toHaveLength(names.length);
  });

  test('what one that was closed has not submitted, the next one submits', async () => {
    bed.guard.gate = new AbortController();
    const first = await bed.startScheduler();
    const schedule = await bed.newSchedule();
    const { id } = await fireNow(bed.pool, 'nightly');
    await until(() => (bed.guard.submissions === 1 ? true : undefined));
    await first.close();
    expect((await bed.firings(schedule))[0]).toMatchObject({ id, state: 'due' });
    bed.guard.gate = undefined;
    await bed.startScheduler();
    expect(await bed.over(schedule, id)).toMatchObject({ state: 'done' });
  });

  test('one that was killed between its run and the note of it: the run is taken over, not made again', async () => {
    bed.guard.rows = [['calm', 0.1]];
    const first = await bed.startScheduler();
    const schedule = await bed.newSchedule();
    const { id } = await fireNow(bed.pool, 'nightly');
    await until(async () => (await bed.firings(schedule)).find(({ state }) => state === 'scoring'));
    await first.close();
    // The database state half a minute after a process was killed at this point.
    await bed.pool.query(`update firings set state = 'submitting', seen_at = now() - interval '1 minute'`);
    await bed.startScheduler();
    expect(await bed.over(schedule, id)).toMatchObject({ state: 'done', summary: { rows: 1, new: 1 } });
    expect(bed.guard.submissions).toBe(1);
  });
});

test('times that were missed while nothing ran are made up by one run', async () => {
  const missed = new Date(Date.now() - 3 * 24 * 3600 * SECOND);
  const schedule = await bed.newSchedule('daily', missed);
  await bed.pool.query(`update schedules set cron = '0 3 * * *'`);
  await bed.startScheduler();
  const first = await until(async () => (await bed.firings(schedule))[0]);
  expect(first.dueAt).toEqual(missed);
  await bed.over(schedule, first.id);
  const { nextAt } = await getSchedule(bed.pool, 'daily');
  expect(nextAt.getTime()).toBeGreaterThan(Date.now());
  expect(await bed.firings(schedule)).toHaveLength(1);
  expect(bed.told).toContain('late by hours');
});

test('a schedule that is removed, or paused, does not come due', async () => {
  const schedule = await bed.newSchedule('paused', new Date(Date.now() - SECOND));
  await bed.pool.query('update schedules set enabled = false');
  await bed.newSchedule('removed', new Date(Date.now() - SECOND));
  await bed.pool.query(`delete from schedules where name = 'removed'`);
  await bed.startScheduler();
  const marker = await bed.newSchedule('marker', new Date());
  await until(async () => (await bed.firings(marker))[0]);
  expect(await bed.firings(schedule)).toEqual([]);
});

describe.each(['postgres', 'redis'] as const)('the clock on %s', (kind) => {
  test('wakes the scheduler when a time comes, and when somebody calls', async () => {
    const redis = kind === 'redis' ? await RedisServer.start() : undefined;
    if (redis !== undefined) bed.backend = { kind: 'redis', url: redis.url };
    await prepareBackend(bed.backend);
    // It polls by itself only at the start; after that it relies on the clock.
    const scheduler = await bed.startScheduler({ lookEveryMs: 3600 * SECOND });
    try {
      const schedule = await bed.newSchedule();
      const { id } = await fireNow(bed.pool, 'nightly');
      await wakeSchedulers(bed.pool, bed.backend);
      expect(
        await until(async () => (await bed.firings(schedule)).find(({ state }) => state === 'scoring')),
      ).toMatchObject({ id });

      // The shortest cron interval is a minute; the test uses six fields, which the command rejects.
      await bed.pool.query(
        `update schedules set cron = '*/2 * * * * *', next_at = now() + interval '2 s' where name = 'nightly'`,
      );
      await bed.guard.work();
      await wakeSchedulers(bed.pool, bed.backend);
      const fired = await until(async () => {
        await bed.guard.work();
        return (await bed.firings(schedule)).find(({ cause, runId }) => cause === 'time' && runId !== null);
      });
      expect(fired.dueAt.getTime()).toBeLessThan(Date.now() + SECOND);
    } finally {
      await scheduler.close();
      await redis?.kill();
    }
  });
});

test('schedules come due without the clock, too: Redis is killed, and its successor knows nothing', async () => {
  const redis = await RedisServer.start();
  bed.backend = { kind: 'redis', url: redis.url };
  try {
    await prepareBackend(bed.backend);
    await bed.startScheduler();
    const schedule = await bed.newSchedule();
    const client = redis.client();
    const clockKeys = (): Promise<string[]> => client.keys('*schedules-*');
    await until(async () => ((await clockKeys()).length > 0 ? true : undefined));
    await redis.kill();
    await bed.pool.query('update schedules set next_at = now()');
    const first = await until(async () => (await bed.firings(schedule))[0]);
    expect(await bed.over(schedule, first.id)).toMatchObject({ state: 'done', cause: 'time' });
    await bed.delivery(schedule);
    await redis.startAgain();
    await until(async () => ((await clockKeys()).length > 0 ? true : undefined));
    client.disconnect();
  } finally {
    await bed.closeSchedulers();
    await redis.kill();
  }
});
