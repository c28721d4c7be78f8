import { expect, test } from 'vitest';
import { Metrics } from './metrics.js';

const open = (): Metrics => new Metrics({ role: 'test', version: '1', node: false });

async function linesOf(metrics: Metrics): Promise<string[]> {
  return (await metrics.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

test('a pass: tokens, batch fill and padding', async () => {
  const metrics = open();
  metrics.onPass({ lane: 'bulk', rows: 2, tokens: 30, longest: 20, cells: 20 ** 2 + 10 ** 2, runMs: 40 }, 60);
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'tocsin_tokens_total{class="bulk"} 30',
      'tocsin_passes_total{class="bulk"} 1',
      'tocsin_attention_cells_total{kind="useful"} 500',
      'tocsin_attention_cells_total{kind="padding"} 300',
      'tocsin_batch_fill_ratio_sum{class="bulk"} 0.5',
      'tocsin_pass_duration_seconds_sum{class="bulk"} 0.04',
    ]),
  );
});

test('a window: rows by outcome, and rejects by kind', async () => {
  const metrics = open();
  const rejectKinds = ['json', 'missing', 'json'];
  metrics.onWindow({ fresh: 5, known: 2, duplicates: 1, rejected: 3, parcels: 1, rejectKinds });
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'tocsin_rows_total{class="bulk",outcome="known"} 2',
      'tocsin_rows_total{class="bulk",outcome="duplicate"} 1',
      'tocsin_rows_total{class="bulk",outcome="rejected"} 3',
      'tocsin_cache_hits_total 2',
      'tocsin_cache_misses_total 5',
      'tocsin_rejects_total{kind="json"} 2',
      'tocsin_rejects_total{kind="missing"} 1',
    ]),
  );
});

test('an interactive request: duration by outcome', async () => {
  const metrics = open();
  metrics.onExpress({ outcome: 'scored', seconds: 0.25 });
  metrics.onExpress({ outcome: 'scored', seconds: 0.5 });
  metrics.onExpress({ outcome: 'timeout', seconds: 30 });
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'tocsin_express_wait_seconds_count{outcome="scored"} 2',
      'tocsin_express_wait_seconds_sum{outcome="scored"} 0.75',
      'tocsin_express_wait_seconds_bucket{le="30",outcome="timeout"} 1',
    ]),
  );
});

test('schedules: firings and deliveries by outcome, and their lag', async () => {
  const metrics = open();
  metrics.schedules.onFiring('done');
  metrics.schedules.onLag(12);
  metrics.schedules.onDelivery('retried');
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'tocsin_schedule_firings_total{outcome="done"} 1',
      'tocsin_schedule_lag_seconds_bucket{le="30"} 1',
      'tocsin_schedule_deliveries_total{outcome="retried"} 1',
    ]),
  );
});

test('two instances share nothing', async () => {
  const [one, other] = [open(), open()];
  one.onEngineRestart();
  expect(await linesOf(one)).toContain('tocsin_engine_restarts_total 1');
  expect(await linesOf(other)).toContain('tocsin_engine_restarts_total 0');
});

test('many scrapes share one query to the database', async () => {
  const metrics = open();
  let asked = 0;
  metrics.watchQueue('abc', async () => {
    asked++;
    return [{ lane: 'express', parcels: 2, tokens: 9, oldestSeconds: 1.5 }];
  });
  await Promise.all([metrics.text(), metrics.text()]);
  expect(await linesOf(metrics)).toEqual(
    expect.arrayContaining([
      'tocsin_queue_parcels{class="express",guard="abc"} 2',
      'tocsin_queue_tokens{class="express",guard="abc"} 9',
      'tocsin_queue_oldest_age_seconds{class="express",guard="abc"} 1.5',
      'tocsin_queue_unknown 0',
    ]),
  );
  expect(asked).toBe(1);
});

test('when the database does not answer, the depth is missing rather than 0', async () => {
  const metrics = open();
  metrics.watchQueue('abc', () => Promise.reject(new Error('away')));
  const lines = await linesOf(metrics);
  expect(lines).toContain('tocsin_queue_unknown 1');
  expect(lines.join()).not.toContain('tocsin_queue_parcels');
});
