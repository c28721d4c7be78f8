import { join } from 'node:path';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { processesNaming } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { RedisServer } from '../setup/redis.js';
import { type Ended, goldenGuard, parseLines, type ScoreLine, tocsin, writeJsonl } from '../setup/tocsin.js';

const ROWS = randomRows(80, 20);

let dir: string;
let corpus: string;
let database: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
  dir = scratchDir();
  corpus = await writeJsonl(join(dir, 'corpus.jsonl'), ROWS);
  database = await TestDatabase.empty();
  redis = await RedisServer.start();
});
afterAll(async () => {
  await database.close();
  await redis.kill();
});

function score(env: NodeJS.ProcessEnv, args: string[] = []): Promise<Ended> {
  return tocsin(['score', corpus, ...goldenGuard('llama-residual'), ...args], { env });
}

function expectSame(scores: ScoreLine[], expected: ScoreLine[]): void {
  expect(scores.map(({ key }) => key)).toEqual(expected.map(({ key }) => key));
  const far = scores.filter(
    ({ score = Number.NaN }, i) => !(Math.abs(score - (expected[i]?.score ?? 0)) <= 1e-6),
  );
  expect(far).toEqual([]);
}

test('with DATABASE_URL and REDIS_URL the scores are those of the embedded servers', async () => {
  const embedded = await score({ TOCSIN_DATA: join(dir, 'postgres') });
  const external = await score({ DATABASE_URL: database.url, REDIS_URL: redis.url });
  expect([embedded.exitCode, external.exitCode]).toEqual([0, 0]);
  expectSame(parseLines(external.stdout), parseLines(embedded.stdout));
  // Everything used the given servers, and the embedded server stopped with its command.
  const { rows } = await database.pool.query('select count(score) as count from scores');
  expect(rows).toEqual([{ count: ROWS.length }]);
  const { rows: tables } = await database.pool.query(`select to_regclass('tocsin_queue.job') as job`);
  expect(tables).toEqual([{ job: null }]);
  expect(processesNaming(join(dir, 'postgres'))).toEqual([]);
});

test('two commands at once on one new data directory both end right', async () => {
  const env = { TOCSIN_DATA: join(dir, 'shared') };
  const [one, two] = await Promise.all([score(env), score(env)]);
  expect([one, two]).toMatchObject([{ exitCode: 0 }, { exitCode: 0 }]);
  expect(parseLines(one.stdout)).toHaveLength(ROWS.length);
  expect(parseLines(two.stdout)).toEqual(parseLines(one.stdout));
  expect(processesNaming(env.TOCSIN_DATA)).toEqual([]);
});

describe('a server that cannot be reached', () => {
  const at = (url: string, change: (url: URL) => void): string => {
    const changed = new URL(url);
    change(changed);
    return changed.href;
  };
  const elsewhere = (url: URL): void => {
    url.port = '1';
    url.password = 's3cret';
  };
  const wrongPassword = (url: URL): void => {
    url.password = 's3cret';
  };

  test.each<[string, () => NodeJS.ProcessEnv, RegExp]>([
    [
      'Postgres',
      () => ({ DATABASE_URL: at(database.url, elsewhere) }),
      /Postgres at .* does not answer.*ECONNREFUSED/,
    ],
    [
      'Postgres that refuses us',
      () => ({ DATABASE_URL: at(database.url, wrongPassword) }),
      /password authentication failed/,
    ],
    [
      'Postgres at no address',
      () => ({ DATABASE_URL: 'postgres://ann:s3cret@[' }),
      /DATABASE_URL cannot be read/,
    ],
    [
      'Redis',
      () => ({ DATABASE_URL: database.url, REDIS_URL: at(redis.url, elsewhere) }),
      /Redis at .* does not answer.*ECONNREFUSED/,
    ],
    [
      'Redis that refuses us',
      () => ({ DATABASE_URL: database.url, REDIS_URL: at(redis.url, wrongPassword) }),
      /WRONGPASS/,
    ],
    [
      'Redis at no address',
      () => ({ DATABASE_URL: database.url, REDIS_URL: 'redis://:s3cret@[' }),
      /REDIS_URL cannot be read/,
    ],
  ])('%s: words that say what to look at, without the password', async (_name, env, message) => {
    const ended = await score(env());
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).toMatch(/Check (the user name|DATABASE_URL|REDIS_URL)|Write @ as %40/);
    expect(ended.stderr).not.toMatch(/s3cret|bug in Tocsin|^\s+at /m);
  });

  test('a data directory and DATABASE_URL together are refused', async () => {
    const ended = await score({ DATABASE_URL: database.url }, ['--data-dir', join(dir, 'postgres')]);
    expect(ended.exitCode).toBe(1);
    expect(ended.stderr).toMatch(/--data-dir is for the embedded server, but DATABASE_URL names another/);
  });
});
