import { request } from 'node:http';
import type { ErrorBody } from '@tocsin/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { scoredRun } from '../testing/scored-run.js';

let bed: DashboardBed;
let run: number;
beforeAll(async () => {
  bed = await DashboardBed.open({
    limits: { exports: 3, exportsPerKey: 2, requestsAtOncePerKey: 2, eventStreams: 3, eventStreamsPerKey: 2 },
  });
  const rows = ['tea', 'bread'].map((text) => ({ text, score: 0.5 }));
  run = await scoredRun(bed.database.pool, { fingerprint: bed.guard.fingerprint, rows });
});
afterAll(() => bed.close());

/** Rows cannot be read until the lock is released. */
async function lockRows(): Promise<{ waiting(statements: number): Promise<void>; release(): Promise<void> }> {
  const client = await bed.database.pool.connect();
  await client.query('begin');
  await client.query('lock table items in access exclusive mode');
  return {
    waiting: async (statements) => {
      const count = async (): Promise<number> => {
        const { rows } = await client.query<{ count: number }>(
          `select count(*)::int as count from pg_locks where not granted and relation = 'items'::regclass`,
        );
        return rows[0]?.count ?? 0;
      };
      await expect.poll(count).toBe(statements);
    },
    release: async () => {
      await client.query('rollback');
      client.release();
    },
  };
}

const tooMany = (message: string) => ({ error: expect.objectContaining({ code: 'rate_limited', message }) });

test('exports at once are bounded for a key and in all', async () => {
  const [first, second] = [await bed.newKey('read', 'first'), await bed.newKey('read', 'second')];
  const ask = ({ key }: { key: string }) => bed.ask<ErrorBody>({ key }, { url: `/api/runs/${run}/export` });
  const lock = await lockRows();
  const underWay = [ask(first), ask(first)];
  await lock.waiting(2);
  const third = await ask(first);
  expect([third.status, third.headers['retry-after']]).toEqual([429, '5']);
  expect(third.body).toEqual(tooMany('too many exports: 2 exports of this key are under way, and 2 may be'));
  underWay.push(ask(second));
  await lock.waiting(3);
  const fourth = await ask(second);
  expect(fourth.body).toEqual(tooMany('too many exports: 3 exports are under way, and 3 may be'));
  await lock.release();
  for (const { status, text } of await Promise.all(underWay)) {
    expect([status, text.trim().split('\n').length]).toEqual([200, 2]);
  }
  expect((await ask(first)).status).toBe(200);
});

test('a key that asks for much at once leaves connections to the database for others', async () => {
  const { key } = await bed.newKey('read', 'many requests');
  const lock = await lockRows();
  const rows = Array.from({ length: 40 }, () => bed.ask({ key }, { url: `/api/runs/${run}/items/1` }));
  await lock.waiting(2);
  const gone = new AbortController();
  const left = fetch(`${await bed.listen()}/api/runs/${run}/items/1`, {
    headers: { authorization: `Bearer ${key}` },
    signal: gone.signal,
  });
  expect((await bed.ask('read', { url: '/api/runs' })).status).toBe(200);
  gone.abort();
  await expect(left).rejects.toThrow();
  await lock.waiting(2);
  await lock.release();
  expect((await Promise.all(rows)).map(({ status }) => status)).toEqual(rows.map(() => 200));
  // All slots are free again.
  expect((await bed.ask({ key }, { url: `/api/runs/${run}/items/1` })).status).toBe(200);
});

test('event streams are bounded for a key, and count until they end', async () => {
  const { rows } = await bed.database.pool.query<{ id: number }>(
    `insert into runs (guard_id, name, seen_at) select guard_id, 'endless', now() from runs limit 1 returning id`,
  );
  const origin = await bed.listen();
  const listen = async (by: AbortController) => {
    const { status, body } = await fetch(`${origin}/api/runs/${rows[0]?.id}/events`, {
      headers: { authorization: `Bearer ${bed.keys.read.key}` },
      signal: by.signal,
    });
    return { status, body };
  };
  const [one, two] = [new AbortController(), new AbortController()];
  expect([(await listen(one)).status, (await listen(two)).status]).toEqual([200, 200]);
  expect((await listen(two)).status).toBe(429);
  one.abort();
  await expect.poll(async () => (await listen(two)).status).toBe(200);
  two.abort();
});

test.each([
  ['/nowhere', 404],
  ['/v1/nowhere', 404],
  ['/api/session', 413],
])('a body for %s is refused unread without a key', async (path, expected) => {
  const { hostname, port } = new URL(await bed.listen());
  const headers = { 'content-type': 'application/json', 'content-length': 10_000_000 };
  const status = await new Promise<number | undefined>((resolve, reject) => {
    const asked = request({ hostname, port, path, method: 'POST', headers });
    asked.once('error', reject).once('response', (answer) => {
      asked.destroy();
      resolve(answer.statusCode);
    });
    // The rest is never sent.
    asked.write('{');
  });
  expect(status).toBe(expected);
});
