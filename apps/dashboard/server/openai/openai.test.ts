import type { Batch, ErrorBody, File } from '@tocsin/contract/openai';
import { listAudit } from '@tocsin/store';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';

const UPLOAD_BYTES = 2_000_000;

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { uploadBytes: UPLOAD_BYTES, requestsPerMinute: 60 } });
});
afterAll(() => bed?.close());

/** The multipart form that OpenAI's clients send for a file. */
function form(content: string): { headers: Record<string, string>; body: Buffer } {
  const part = (head: string, value: string): string =>
    `--b\r\ncontent-disposition: form-data; ${head}\r\n\r\n${value}\r\n`;
  const parts = [part('name="file"; filename="big.jsonl"', content), part('name="purpose"', 'batch')];
  return {
    headers: { 'content-type': 'multipart/form-data; boundary=b' },
    body: Buffer.from(`${parts.join('')}--b--\r\n`),
  };
}

const upload = <Body>(content: string) =>
  bed.ask<Body>('submit', { method: 'POST', url: '/v1/files', ...form(content) });

test('a file that is too large is refused as the client expects it, and leaves nothing', async () => {
  const { status, body } = await upload<ErrorBody>('x'.repeat(UPLOAD_BYTES + 1));
  expect([status, body.error.type]).toEqual([413, 'invalid_request_error']);
  const { rows } = await bed.database.pool.query('select from files');
  expect(rows).toEqual([]);
  expect((await upload('x'.repeat(UPLOAD_BYTES))).status).toBe(200);
});

test('what is done with files and batches is written down, with who did it', async () => {
  const { body: file } = await upload<File>('no request\n');
  const { body: batch } = await bed.ask<Batch>('submit', {
    method: 'POST',
    url: '/v1/batches',
    body: { input_file_id: file.id, endpoint: '/v1/moderations', completion_window: '24h' },
  });
  expect((await bed.ask('admin', { url: `/v1/files/${file.id}/content` })).text).toBe('no request\n');
  await expect
    .poll(async () => (await bed.ask<Batch>('submit', { url: `/v1/batches/${batch.id}` })).body.status)
    .toBe('failed');
  await bed.ask('submit', { method: 'DELETE', url: `/v1/files/${file.id}` });
  const { pool } = bed.database;
  const entries = (await listAudit(pool, { limit: 4 })).map(({ action, subject, who }) => [
    action,
    subject,
    who,
  ]);
  expect(entries).toEqual([
    ['file.delete', file.id, 'the submit'],
    ['text.read', file.id, 'the admin'],
    ['batch.create', batch.id, 'the submit'],
    ['file.upload', file.id, 'the submit'],
  ]);
});

test('errors of every layer have one shape, and answers an id', async () => {
  const refused = [
    bed.ask<ErrorBody>(null, { url: '/v1/models' }),
    bed.ask<ErrorBody>('submit', { url: '/v1/nothing' }),
    bed.ask<ErrorBody>('submit', { url: '/v1/files/%00' }),
    bed.ask<ErrorBody>('submit', { url: '/v1/files?order=sideways' }),
    bed.ask<ErrorBody>('submit', { method: 'POST', url: '/v1/moderations', body: Buffer.from('{') }),
    bed.ask<ErrorBody>('submit', { method: 'POST', url: '/v1/moderations', body: { input: 'a', model: 7 } }),
    bed.ask<ErrorBody>('submit', { method: 'POST', url: '/v1/batches', body: { metadata: { a: 'b\0' } } }),
  ];
  const answers = await Promise.all(refused);
  expect(answers.map(({ status }) => status)).toEqual([401, 404, 400, 400, 415, 400, 400]);
  for (const { body, headers } of answers) {
    expect(body).toEqual({
      error: {
        message: expect.any(String) as string,
        type: 'invalid_request_error',
        param: body.error.param,
        code: body.error.code,
      },
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  }
  expect(answers.map(({ body }) => body.error.param).slice(-4)).toEqual([
    'order',
    null,
    'model',
    'input_file_id',
  ]);
});

test('whoever asks too often is told when to come back', async () => {
  const { key } = await bed.newKey('submit');
  const answers = [];
  for (let i = 0; i < 61; i++) answers.push(await bed.ask<ErrorBody>({ key }, { url: '/v1/models' }));
  expect(answers.slice(0, 60).map(({ status }) => status)).toEqual(Array(60).fill(200));
  expect(answers.at(-1)).toMatchObject({
    status: 429,
    body: { error: { type: 'rate_limit_error', code: 'rate_limit_exceeded' } },
  });
  expect(Number(answers.at(-1)?.headers['retry-after'])).toBeGreaterThan(0);
});
