import { prepareBackend } from '@tocsin/queue';
import { TestDatabase } from '@tocsin/store/testing';
import { expect, test } from 'vitest';

test("the events that BullMQ's Postgres backend logs do not pile up", async () => {
  const database = await TestDatabase.empty();
  try {
    const backend = { kind: 'postgres', url: database.url } as const;
    await prepareBackend(backend);
    const log = `insert into tocsin_queue.event (queue, event, created_at_ms) values ('parcels-x', $1, $2)`;
    await database.pool.query(log, ['yesterday', Date.now() - 24 * 60 * 60_000]);
    await database.pool.query(log, ['now', Date.now()]);
    await prepareBackend(backend);
    const { rows } = await database.pool.query('select event from tocsin_queue.event');
    expect(rows).toEqual([{ event: 'now' }]);
  } finally {
    await database.close();
  }
});
