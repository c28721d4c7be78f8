import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { ScheduleBed } from './schedule-bed.js';

let bed: ScheduleBed;
beforeEach(async () => {
  bed = await ScheduleBed.open();
});
afterEach(() => bed.close());

test('the summary counts what is new, what is flagged and newly flagged, and how far the scores have drifted', async () => {
  await bed.startScheduler();
  const schedule = await bed.newSchedule();
  bed.guard.rows = [
    ['calm', 0.1],
    ['loud', 0.9],
    ['calm', 0.1],
    ['even', 0.5],
  ];
  expect(await bed.fire(schedule)).toMatchObject({ state: 'done', cause: 'hand' });
  await bed.delivery(schedule);
  const first = bed.receiver.verified(0);
  expect(first).toMatchObject({
    type: 'run.done',
    data: {
      schedule: 'nightly',
      rows: 4,
      new: 3,
      known: 0,
      duplicates: 1,
      rejected: 0,
      scored: 4,
      failed: 0,
      threshold: 0.5,
      flagged: 2,
      newFlagged: 2,
      drift: null,
    },
  });
  const distribution = first.data.distribution as number[];
  expect(distribution).toHaveLength(20);
  expect([distribution[2], distribution[10], distribution[18]]).toEqual([2, 1, 1]);

  // Again with two new rows: only these are scored.
  bed.guard.rows.push(['rude', 0.8], ['kind', 0]);
  await bed.fire(schedule);
  await until(() => bed.receiver.received[1]);
  const second = bed.receiver.verified(1);
  expect(second.data).toMatchObject({ rows: 6, new: 2, known: 4, flagged: 3, newFlagged: 1 });
  // Cumulative shares: 2/4 and 3/6 at 0.1, 3/4 and 4/6 at 0.5, 1 and 1: the largest gap is at 0, 1/6.
  expect(second.data.drift).toMatchObject({
    run: first.data.run,
    otherGuard: false,
    rows: 4,
    flagged: 2,
    kolmogorovSmirnov: expect.closeTo(1 / 6, 6),
    populationStability: expect.any(Number),
  });

  // An unchanged corpus has no drift.
  await bed.fire(schedule);
  await until(() => bed.receiver.received[2]);
  expect(bed.receiver.verified(2).data).toMatchObject({
    new: 0,
    known: 6,
    newFlagged: 0,
    drift: { kolmogorovSmirnov: 0, populationStability: 0 },
  });
  const { rows } = await bed.pool.query('select count(*) as count from scores');
  expect(rows).toEqual([{ count: 5 }]);
  expect(new Set(bed.receiver.received.map(({ id }) => id)).size).toBe(3);
});
