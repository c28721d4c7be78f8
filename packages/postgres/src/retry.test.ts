import { chmod, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createPool, inTransaction, type Pool } from './connect.js';
import { type EmbeddedServer, startEmbedded } from './embedded/start-embedded.js';
import { isTransient, withRetry } from './retry.js';

const withCode = (code: string): Error => Object.assign(new Error('failed'), { code });

describe('what goes away by itself', () => {
  test.each([
    'ECONNREFUSED',
    'ECONNRESET',
    'EPIPE',
    '57P01',
    '57P02',
    '57P03',
    '40001',
    '40P01',
    '53300',
    '08006',
  ])('%s does', (code) => expect(isTransient(withCode(code))).toBe(true));
  test.each(['23505', '42P01', '28P01', '3D000', '22021', 'ENOTFOUND', 'EACCES'])('%s does not', (code) =>
    expect(isTransient(withCode(code))).toBe(false),
  );
  test('a connection that ended, whatever node-postgres says of it', () => {
    expect(isTransient(new Error('Connection terminated unexpectedly'))).toBe(true);
    expect(isTransient(new Error('Connection terminated'))).toBe(true);
    expect(isTransient(new Error('timeout exceeded when trying to connect'))).toBe(true);
  });
  test('all addresses of a name refused', () => {
    expect(isTransient(new AggregateError([withCode('ECONNREFUSED'), withCode('ECONNREFUSED')]))).toBe(true);
    expect(isTransient(new AggregateError([withCode('EACCES')]))).toBe(false);
  });
  test('an error that Drizzle has wrapped', () => {
    const failed = (cause: Error): Error => new Error('Failed query: select 1', { cause });
    expect(isTransient(failed(withCode('57P01')))).toBe(true);
    expect(isTransient(failed(new AggregateError([withCode('ECONNREFUSED')])))).toBe(true);
    expect(isTransient(failed(new Error('Connection terminated unexpectedly')))).toBe(true);
    expect(isTransient(failed(withCode('42P01')))).toBe(false);
  });
  test('an error that is its own cause', () => {
    const round = new Error('round');
    round.cause = round;
    expect(isTransient(round)).toBe(false);
  });
  test('a defect of ours does not', () => {
    expect(isTransient(new TypeError('x is not a function'))).toBe(false);
    expect(isTransient(undefined)).toBe(false);
  });
});

describe('withRetry', () => {
  test('gives up at once on an error that stays', async () => {
    let attempts = 0;
    const work = withRetry(() => {
      attempts++;
      return Promise.reject(withCode('42P01'));
    });
    await expect(work).rejects.toMatchObject({ code: '42P01' });
    expect(attempts).toBe(1);
  });

  test('tries a transient error again', async () => {
    let attempts = 0;
    const work = withRetry(() =>
      ++attempts < 3 ? Promise.reject(withCode('40001')) : Promise.resolve('done'),
    );
    expect(await work).toBe('done');
    expect(attempts).toBe(3);
  });

  test('ends at an abort, with its reason', async () => {
    const controller = new AbortController();
    const work = withRetry(() => {
      setImmediate(() => controller.abort(new Error('interrupted')));
      return Promise.reject(withCode('ECONNREFUSED'));
    }, controller.signal);
    await expect(work).rejects.toThrow('interrupted');
  });
});

describe('over a server that is killed and started again', () => {
  let server: EmbeddedServer;
  let pool: Pool;
  beforeAll(async () => {
    const dir = await mkdtemp(join(inject('scratch'), 'restart-'));
    await chmod(dir, 0o755);
    server = await startEmbedded({ dataDir: join(dir, 'postgres') });
    pool = createPool(server.url, { applicationName: 'tocsin test', max: 4 });
    await pool.query('create table public.t (n int primary key)');
  });
  afterAll(async () => {
    await pool.end();
    await server.stop();
  });

  test('everything that is asked meanwhile is done, once', async () => {
    const ended = new Promise((resolve) => server.onExit(resolve));
    let killed = false;
    const insert = (n: number): Promise<unknown> =>
      withRetry(() =>
        inTransaction(pool, async (client) => {
          await client.query('insert into public.t values ($1) on conflict do nothing', [n]);
          // In the middle of some of the transactions.
          if (n === 10 && !killed) {
            killed = true;
            process.kill(server.pid, 'SIGKILL');
          }
          if (killed) await ended;
        }),
      );
    const work = Array.from({ length: 40 }, (_, n) => insert(n));
    await ended;
    await server.ensureRunning();
    await Promise.all(work);
    expect((await pool.query('select count(*) as count from public.t')).rows).toEqual([{ count: 40 }]);
  });
});
