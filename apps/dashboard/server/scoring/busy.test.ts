import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Caller, DashboardBed } from '../testing/dashboard-bed.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { pendingItemsPerKey: 3, streamsPerKey: 2 } });
});
afterAll(() => bed.close());

interface Failure {
  error: { message: string; code: string; hint?: string; type?: string };
}

/** Resolves when this many contents wait for a worker. */
async function waiting(contents: number): Promise<void> {
  const count = async (): Promise<number> => {
    const { rows } = await bed.database.pool.query<{ sum: number }>(
      `select coalesce(sum(contents), 0)::int as sum from parcels where state = 'waiting'`,
    );
    return rows[0]?.sum ?? 0;
  };
  await expect.poll(count).toBe(contents);
}

test('a key with too much pending is refused at once on every scoring route; others are not, and it is let in again', async () => {
  const { key } = await bed.newKey('submit', 'the flood');
  const items = ['tea', 'bread', 'a garden'].map((text) => ({ text }));
  const pending = bed.ask<{ results: unknown[] }>(
    { key },
    { method: 'POST', url: '/api/score', body: { items } },
  );
  await waiting(3);

  const stream = await bed.ask<{ id: string }>({ key }, { method: 'POST', url: '/api/streams', body: {} });
  expect(stream.status).toBe(201);
  const routes = [
    ['/api/score', { text: 'a letter' }],
    ['/api/trace', { text: 'a letter' }],
    [`/api/streams/${stream.body.id}/chunks`, { chunk: 'a letter' }],
  ] as const;
  for (const [url, body] of routes) {
    const refused = await bed.ask<Failure>({ key }, { method: 'POST', url, body });
    expect(refused.status, url).toBe(429);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(refused.body.error).toMatchObject({
      code: 'rate_limited',
      message: 'too many interactive requests: 3 items of this key are pending, and 3 may be',
      hint: expect.stringContaining('retry-after') as string,
    });
  }
  const moderation = await bed.ask<Failure>(
    { key },
    { method: 'POST', url: '/v1/moderations', body: { input: 'a letter' } },
  );
  expect(moderation.status).toBe(429);
  expect(Number(moderation.headers['retry-after'])).toBeGreaterThanOrEqual(1);
  expect(moderation.body.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });

  const other = bed.ask('submit', { method: 'POST', url: '/api/score', body: { text: 'a window' } });
  await waiting(4);
  bed.startWorker();
  expect((await other).status).toBe(200);
  expect((await pending).body.results).toHaveLength(3);
  const again = await bed.ask({ key }, { method: 'POST', url: '/api/score', body: { text: 'a letter' } });
  expect(again.status).toBe(200);
});

test('the bodies of a key that are in memory are bounded, and one is always let in', async () => {
  const small = await DashboardBed.open({ limits: { pendingBodyBytesPerKey: 5_000 } });
  try {
    const ask = (caller: Caller) =>
      small.ask<Failure>(caller, {
        method: 'POST',
        url: '/api/score',
        body: { text: 'a letter '.repeat(1_000) },
      });
    const { key } = await small.newKey('submit', 'large bodies');
    const first = ask({ key });
    const parcels = async (): Promise<number> =>
      (await small.database.pool.query('select 1 from parcels')).rows.length;
    await expect.poll(parcels).toBe(1);
    const refused = await ask({ key });
    expect(refused.status).toBe(429);
    expect(refused.body.error.message).toMatch(/^too many request bodies: \d+ bytes of this key are pending/);
    expect(refused.headers['retry-after']).toBe('1');
    const other = ask('submit');
    small.startWorker();
    expect([(await first).status, (await other).status]).toEqual([200, 200]);
    // Answered requests no longer count.
    expect((await ask({ key })).status).toBe(200);
  } finally {
    await small.close();
  }
});

test('a key has no more streams than it may, when it begins many at once', async () => {
  const { key } = await bed.newKey('submit', 'streams at once');
  const begin = () => bed.ask({ key }, { method: 'POST', url: '/api/streams', body: {} });
  const answers = await Promise.all(Array.from({ length: 12 }, begin));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, ...Array(10).fill(429)]);
});

test('a key may have so many streams', async () => {
  const { key } = await bed.newKey('submit', 'many streams');
  const begin = () => bed.ask<Failure>({ key }, { method: 'POST', url: '/api/streams', body: {} });
  expect([(await begin()).status, (await begin()).status]).toEqual([201, 201]);
  const refused = await begin();
  expect(refused.status).toBe(429);
  expect(refused.body.error.message).toBe('too many streams: 2 of this key are open, and 2 may be');
  expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
});
