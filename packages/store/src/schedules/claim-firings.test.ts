import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { TestDatabase } from '../testing/index.js';
import { type ClaimOptions, claimFirings, fireNow } from './claim-firings.js';
import { listDeliveries } from './deliveries.js';
import { endFiring, firingOf, listFirings, setFiringState, takeFiring } from './firings.js';
import { addSchedule, type ScheduleRow } from './schedules.js';

const HOUR = 3_600_000;
const options: ClaimOptions = {
  nextAfter: (_schedule, date) => new Date(date.getTime() + HOUR),
  message: ({ id }) => ({ id: `skipped-${id}`, body: '{}' }),
};

let database: TestDatabase;
let schedule: ScheduleRow;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());
beforeEach(async () => {
  await database.pool.query('delete from schedules');
  schedule = await addSchedule(database.pool, {
    name: 'nightly',
    cron: '0 * * * *',
    timeZone: 'UTC',
    request: { corpus: [] },
    nextAt: new Date(Date.now() - 5 * HOUR),
  });
});

test('many who ask at once make one firing, and the times that were missed since are passed over', async () => {
  const claimed = await Promise.all(Array.from({ length: 6 }, () => claimFirings(database.pool, options)));
  expect(claimed.flat()).toMatchObject([{ dueAt: schedule.nextAt, cause: 'time', skipped: null }]);
  expect(await claimFirings(database.pool, options)).toEqual([]);
  expect(await listFirings(database.pool, schedule.id, 10)).toHaveLength(1);
});

test('many who take it at once: one has it, until it has not been heard of for half a minute', async () => {
  await claimFirings(database.pool, options);
  const taken = await Promise.all(Array.from({ length: 6 }, () => takeFiring(database.pool)));
  const [first] = taken.filter((firing) => firing !== undefined);
  expect(taken.filter((firing) => firing !== undefined)).toHaveLength(1);
  await database.pool.query(`update firings set seen_at = now() - interval '31 seconds'`);
  const second = await takeFiring(database.pool);
  expect(second).toMatchObject({ id: first?.id, takes: 2 });
  if (first === undefined || second === undefined) throw new Error('nobody has it');

  // What the first still says changes nothing.
  await setFiringState(database.pool, first, 'scoring');
  expect(await endFiring(database.pool, first, { state: 'failed', reason: 'late' })).toBe(false);
  expect(await firingOf(database.pool, first.id)).toMatchObject({ state: 'submitting', reason: null });
  expect(await endFiring(database.pool, second, { state: 'done', summary: { rows: 1 } })).toBe(true);
  expect(await endFiring(database.pool, second, { state: 'done' })).toBe(false);
});

test('what comes due while the last one is going is skipped, with a message; by hand it is refused', async () => {
  await claimFirings(database.pool, options);
  await database.pool.query('update schedules set next_at = now()');
  const [skipped] = await claimFirings(database.pool, options);
  expect(skipped?.skipped).toMatch(/^the last one is still going: due .*Z, due$/);
  expect(await listDeliveries(database.pool, schedule.id, 10)).toMatchObject([
    { id: `skipped-${skipped?.id}`, state: 'pending', attempts: 0 },
  ]);
  await expect(fireNow(database.pool, 'nightly')).rejects.toThrow(/nightly is still going: due .*, due$/);
  await expect(fireNow(database.pool, 'weekly')).rejects.toThrow(/no schedule named weekly/);
});

test('the database itself does not take a second firing that is going', async () => {
  await claimFirings(database.pool, options);
  const insert = `insert into firings (schedule_id, due_at, cause) values ($1, now(), 'hand')`;
  await expect(database.pool.query(insert, [schedule.id])).rejects.toThrow(/firings_one_at_a_time/);
});

test('a thousand firings are remembered, and what is still to be delivered', async () => {
  await database.pool.query(
    `insert into firings (schedule_id, due_at, cause, state, finished_at)
     select $1, now() - make_interval(days => n), 'time', 'done', now() from generate_series(1, 1200) n`,
    [schedule.id],
  );
  await database.pool.query(
    `insert into deliveries (id, firing_id, body) select 'oldest', id, '{}' from firings order by due_at limit 1`,
  );
  await claimFirings(database.pool, options);
  const firings = await listFirings(database.pool, schedule.id, 2_000);
  expect(firings).toHaveLength(1_001);
  expect(await listDeliveries(database.pool, schedule.id, 10)).toMatchObject([{ id: 'oldest' }]);
});
