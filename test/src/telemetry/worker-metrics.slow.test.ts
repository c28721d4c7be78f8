import { join } from 'node:path';
import { startEmbedded } from '@tocsin/postgres';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { engineOf, Fleet, GUARD, ROWS } from '../fleet/fleet.js';
import { until } from '../setup/processes.js';
import { goldenGuard, TocsinProcess } from '../setup/tocsin.js';
import { listensAt, readiness, scrape } from './receivers.js';

let fleet: Fleet;
beforeEach(async () => {
  fleet = await Fleet.open();
});
afterEach(() => fleet.close());

const LISTEN = ['--metrics-port', '0'];

test('a worker that has scored a corpus says what it did, and what waits', async () => {
  const rows = ROWS.slice(0, 300);
  const runId = await fleet.submit(await fleet.corpus([...rows, ...rows.slice(0, 5)]));
  const [submitted] = await fleet.ask<{ tokens: number; parcels: number }>(
    'select sum(tokens)::int as tokens, count(*) as parcels from parcels',
  );
  const worker = fleet.worker(LISTEN);
  const at = await listensAt(worker);
  await fleet.untilState(runId, 'done');
  const done = 'tocsin_rows_total{class="bulk",outcome="scored"}';
  const samples = await until(async () => {
    const now = await scrape(at);
    return now.get(done) === rows.length ? now : undefined;
  });
  expect(samples.get('tocsin_tokens_total{class="bulk"}')).toBe(submitted?.tokens);
  const passes = samples.get('tocsin_passes_total{class="bulk"}') ?? 0;
  expect(passes).toBeGreaterThan(0);
  expect(samples.get('tocsin_pass_duration_seconds_count{class="bulk"}')).toBe(passes);
  expect(samples.get('tocsin_batch_fill_ratio_count{class="bulk"}')).toBe(passes);
  expect(samples.get('tocsin_parcels_total{class="bulk",outcome="done"}')).toBe(submitted?.parcels);
  expect(samples.get('tocsin_attention_cells_total{kind="useful"}')).toBeGreaterThan(0);
  expect(samples.get('tocsin_engine_restarts_total')).toBe(0);
  expect(samples.get('process_resident_memory_bytes')).toBeGreaterThan(0);
  expect([...samples.keys()]).toContainEqual(
    expect.stringMatching(/^tocsin_queue_parcels\{class="bulk",guard="\w{12}"\}$/),
  );
  expect(await readiness(at)).toEqual({ status: 200, reasons: {} });
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
});

test('a worker that drains is not ready, and says so until it is gone', async () => {
  await fleet.submit(await fleet.corpus());
  const worker = await fleet.readyWorker(LISTEN);
  const at = await listensAt(worker);
  await fleet.untilDone(1);
  const engine = engineOf(worker.pid);
  if (engine === undefined) throw new Error('no engine process');
  process.kill(engine, 'SIGSTOP');
  worker.kill('SIGTERM');
  const told = await until(async () => {
    const now = await readiness(at);
    return now.status === 503 ? now : undefined;
  });
  expect(told.reasons).toEqual({ draining: 'stopped' });
  expect((await fetch(`${at}/healthz`)).status).toBe(200);
  process.kill(engine, 'SIGCONT');
  expect(await worker.ended).toMatchObject({ exitCode: 0 });
});

test('an engine process that died while nothing was to be scored is replaced, and the worker ready again', async () => {
  const worker = await fleet.readyWorker(LISTEN);
  const at = await listensAt(worker);
  const engine = engineOf(worker.pid) ?? 0;
  process.kill(engine, 'SIGKILL');
  await until(() => (engineOf(worker.pid) === undefined ? true : undefined));
  await until(async () => ((await readiness(at)).status === 200 && engineOf(worker.pid) ? true : undefined));
  expect(engineOf(worker.pid)).not.toBe(engine);
  expect((await scrape(at)).get('tocsin_engine_restarts_total')).toBe(1);
});

test('without Postgres it is alive and not ready', async () => {
  const server = await startEmbedded({ dataDir: join(fleet.dir, 'postgres') });
  const env = { ...fleet.env, DATABASE_URL: server.url };
  const worker = new TocsinProcess(['work', ...goldenGuard(GUARD), '--threads', '1', ...LISTEN], { env });
  try {
    const at = await listensAt(worker);
    await until(async () => ((await readiness(at)).status === 200 ? true : undefined));
    await server.stop();
    const told = await until(async () => {
      const now = await readiness(at);
      return now.status === 503 ? now : undefined;
    });
    expect(Object.keys(told.reasons)).toEqual(['database']);
    expect((await fetch(`${at}/healthz`)).status).toBe(200);
    await until(async () => ((await scrape(at)).get('tocsin_queue_unknown') === 1 ? true : undefined));
  } finally {
    worker.kill('SIGKILL');
    await worker.ended;
    await server.stop();
  }
});
