import { openGuard, Preparation } from '@tocsin/engine';
import { submitCorpus } from '@tocsin/pipeline';
import { ParcelQueue, prepareBackend, queueNameOf } from '@tocsin/queue';
import { goldenDirs } from '@tocsin/siren/testing';
import { createRun, exportRows, registerGuard, runProgress } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { childrenOf, until, untilGone } from '../setup/processes.js';
import { scratchDir } from '../setup/provided.js';
import { randomRows } from '../setup/random-words.js';
import { RedisServer } from '../setup/redis.js';
import { goldenGuard, TocsinProcess, tocsin } from '../setup/tocsin.js';

const GUARD = 'llama-residual';

let database: TestDatabase;
let redis: RedisServer;
beforeAll(async () => {
  database = await TestDatabase.migrated();
  redis = await RedisServer.start();
});
afterAll(async () => {
  await redis.kill();
  await database.close();
});

test('workers on their own score what a producer elsewhere submits, and drain at SIGTERM', async () => {
  const { pool, url } = database;
  const cacheDir = scratchDir();
  const backend = { kind: 'redis', url: redis.url } as const;
  await prepareBackend(backend);
  const { artifact, backbone } = goldenDirs(GUARD);
  const guard = await openGuard(artifact, { backbone, cacheDir });
  const preparation = await Preparation.open(guard);
  const { id: guardId, queue: uuid } = await registerGuard(pool, guard.fingerprint, GUARD);
  const runId = await createRun(pool, guardId, 'test');
  const queue = new ParcelQueue(backend, queueNameOf(uuid));
  const rows = randomRows(300, 20);
  async function* corpus() {
    yield rows.map(({ id, text }, i) => {
      const place = { seq: i + 1, key: id, file: '-', line: i + 1 };
      return { kind: 'item', ...place, content: { text } } as const;
    });
  }
  const env = { DATABASE_URL: url, REDIS_URL: redis.url };
  const args = ['work', ...goldenGuard(GUARD), '--threads', '1', '--cache-dir', cacheDir];
  const workers = [1, 2].map(() => new TocsinProcess(args, { env }));
  await submitCorpus(corpus(), { pool, queue, preparation, runId, guardId });
  await until(async () => ((await runProgress(pool, runId)).parcelsWaiting === 0 ? true : undefined));
  await queue.close();
  for await (const page of exportRows(pool, runId)) {
    expect(page.filter(({ score }) => score === null)).toEqual([]);
    expect(page).toHaveLength(rows.length);
  }

  await until(() => (workers.every(({ stderr }) => stderr.includes('worker ready')) ? true : undefined));
  const engines = workers.flatMap(({ pid }) => childrenOf(pid).map((child) => child.pid));
  expect(engines).toHaveLength(2);
  for (const worker of workers) worker.kill('SIGTERM');
  for (const worker of workers) expect(await worker.ended).toMatchObject({ exitCode: 0 });
  await untilGone(engines);
});

test('a worker without a database says what it needs', async () => {
  const ended = await tocsin(['work', ...goldenGuard(GUARD)]);
  expect(ended.exitCode).toBe(1);
  expect(ended.stderr).toMatch(/DATABASE_URL is not set.*\n.*tocsin score/);
});
