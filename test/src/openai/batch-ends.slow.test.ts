import OpenAI from 'openai';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { BatchClient, type Line, OpenaiBed, request } from './openai-bed.js';

let bed: OpenaiBed;
let key: string;
const client = (): BatchClient =>
  new BatchClient(new OpenAI({ baseURL: bed.baseURL, apiKey: key, maxRetries: 0 }));

beforeAll(async () => {
  bed = await OpenaiBed.start();
  key = await bed.newKey('submit');
});
afterAll(() => bed?.close());

const states = (lines: Line[]): unknown[] =>
  lines.map(({ custom_id, error, response }) => [custom_id, error?.code ?? response?.status_code]);

test('one whose time is up expires, with what was answered until then', async () => {
  const id = await client().create(await client().upload([request('a'), request('b')]));
  await client().until(id, 'in_progress');
  await bed.database.pool.query('update batches set expires_at = now() where id = $1', [id]);
  const batch = await client().untilOver(id);
  expect(batch).toMatchObject({ status: 'expired', request_counts: { total: 2, completed: 0, failed: 2 } });
  expect(batch.output_file_id).toBeNull();
  expect(states(await client().lines(batch.error_file_id))).toEqual([
    ['a', 'batch_expired'],
    ['b', 'batch_expired'],
  ]);
});

test('one that is cancelled has what was answered until then, and a line for each other request', async () => {
  const worker = await bed.startWorker();
  const known = await client().upload([request('a', { input: 'tea' }), request('b', { input: 'bread' })]);
  expect(await client().untilOver(await client().create(known))).toMatchObject({ status: 'completed' });
  worker.kill('SIGTERM');
  await worker.ended;

  const input = await client().upload([
    request('a', { input: 'tea' }),
    'no JSON',
    request('new', { input: ['bread', 'nobody scores this'] }),
    request('b', { input: ['bread'] }),
  ]);
  const id = await client().create(input);
  await client().until(id, 'in_progress');
  expect((await client().api.batches.retrieve(id)).request_counts).toMatchObject({ total: 4, failed: 1 });
  // Its file is in use.
  await expect(client().api.files.delete(input)).rejects.toBeInstanceOf(OpenAI.ConflictError);
  expect(await client().api.batches.cancel(id)).toMatchObject({ status: 'cancelling' });
  const batch = await client().untilOver(id);
  expect(batch).toMatchObject({
    status: 'cancelled',
    request_counts: { total: 4, completed: 2, failed: 2 },
  });
  expect(states(await client().lines(batch.output_file_id))).toEqual([
    ['a', 200],
    ['b', 200],
  ]);
  expect(states(await client().lines(batch.error_file_id))).toEqual([
    [null, 'invalid_json_line'],
    ['new', 'batch_cancelled'],
  ]);
  const { rows } = await bed.database.pool.query('select state from runs order by id desc limit 2');
  expect(rows).toEqual([{ state: 'cancelled' }, { state: 'done' }]);
  expect(await client().api.files.delete(input)).toMatchObject({ deleted: true });

  let asked = 0;
  const counting = new OpenAI({
    baseURL: bed.baseURL,
    apiKey: key,
    maxRetries: 5,
    fetch: (...request) => {
      asked++;
      return fetch(...request);
    },
  });
  // The client would retry a conflict; a header tells it not to.
  await expect(counting.batches.cancel(id)).rejects.toBeInstanceOf(OpenAI.ConflictError);
  expect(asked).toBe(1);
});

test('the API is killed while a batch is put into its run, and while that is scored: another brings it to its end', async () => {
  const { api } = bed;
  // Enough requests that submission takes a while, with few distinct texts that are scored quickly.
  const lines = Array.from({ length: 12_000 }, (_, i) => request(`${i}`, { input: `text ${i % 50}` }));
  const id = await client().create(await client().upload(lines));
  await until(async () => {
    const { rows } = await bed.database.pool.query<{ rows: number }>(
      `select rows from runs join batches on run_id = runs.id where batches.state = 'validating' and rows > 0`,
    );
    return rows[0];
  });
  api.kill('SIGKILL');
  await api.ended;

  const second = await bed.startApi();
  // As after the time when the first process counts as dead.
  await bed.database.pool.query(`update batches set seen_at = seen_at - interval '1 minute' where id = $1`, [
    id,
  ]);
  await client().until(id, 'in_progress');
  second.kill('SIGTERM');
  expect(await second.ended).toMatchObject({ exitCode: 0 });

  // The client retries until a server is up.
  const patient = new OpenAI({ baseURL: bed.baseURL, apiKey: key, maxRetries: 20 });
  const waiting = patient.batches.retrieve(id);
  await bed.startApi({ port: new URL(bed.baseURL).port });
  // Answered before any worker runs, so it cannot have finished.
  expect(await waiting).toMatchObject({ status: 'in_progress' });
  await bed.startWorker();
  const batch = await client().untilOver(id);
  expect(batch).toMatchObject({
    status: 'completed',
    error_file_id: null,
    request_counts: { total: 12_000, completed: 12_000, failed: 0 },
  });
  const output = await client().lines(batch.output_file_id);
  expect(output.map(({ custom_id }) => Number(custom_id))).toEqual(lines.map((_, i) => i));
  const { rows } = await bed.database.pool.query('select state, rows from runs order by id desc limit 1');
  expect(rows).toEqual([{ state: 'done', rows: 12_000 }]);
});
