import OpenAI, { type APIError, toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BatchClient, type Line, MODEL, OpenaiBed, request } from './openai-bed.js';

let bed: OpenaiBed;
let client: OpenAI;
let batches: BatchClient;
beforeAll(async () => {
  bed = await OpenaiBed.start();
  client = await bed.client('submit');
  batches = new BatchClient(client);
});
afterAll(() => bed?.close());

const failed = (asked: Promise<unknown>): Promise<APIError> =>
  asked.then(
    () => Promise.reject(new Error('it was answered')),
    (error: unknown) => error as APIError,
  );

describe('files', () => {
  test('one is uploaded, shown, downloaded as it was, and deleted', async () => {
    // More than one chunk of the store, with a character across the boundary.
    const content = Buffer.from(`${'é'.repeat(600_000)}\n${'x'.repeat(1_000_001)}\n`);
    const file = await toFile(content, 'größe 1.jsonl');
    const made = await client.files.create({
      // Fields may follow the file.
      file,
      purpose: 'batch',
      expires_after: { anchor: 'created_at', seconds: 3600 },
    });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^file-/),
      object: 'file',
      bytes: content.length,
      filename: 'größe 1.jsonl',
      purpose: 'batch',
      status: 'processed',
    });
    expect((made.expires_at ?? 0) - made.created_at).toBeGreaterThanOrEqual(3600);
    expect(await client.files.retrieve(made.id)).toEqual(made);
    const downloaded = Buffer.from(await (await client.files.content(made.id)).arrayBuffer());
    expect(downloaded.equals(content)).toBe(true);
    expect(await client.files.delete(made.id)).toEqual({ id: made.id, object: 'file', deleted: true });
    expect(await failed(client.files.retrieve(made.id))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failed(client.files.content(made.id))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('lists go on page by page, either way', async () => {
    const own = await bed.client('submit');
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e'])
      ids.push(await new BatchClient(own).upload([request(name)]));
    const list = async (query: OpenAI.FileListParams): Promise<string[]> => {
      const found: string[] = [];
      for await (const { id } of own.files.list(query)) found.push(id);
      return found;
    };
    expect(await list({ limit: 2, order: 'asc' })).toEqual(ids);
    expect(await list({ limit: 2 })).toEqual(ids.toReversed());
    expect(await list({ purpose: 'batch_output' })).toEqual([]);
    const page = await own.files.list({ limit: 2 });
    expect(page).toMatchObject({ has_more: true, data: [{ id: ids[4] }, { id: ids[3] }] });
    expect(await failed(list({ after: 'file-nothing' }))).toBeInstanceOf(OpenAI.NotFoundError);
    expect(await failed(list({ limit: 0 }))).toBeInstanceOf(OpenAI.BadRequestError);
  });

  test('what is not for batches is refused, and leaves nothing', async () => {
    const own = await bed.client('submit');
    const file = await toFile(Buffer.from('{}\n'), 'a.jsonl');
    const error = await failed(own.files.create({ file, purpose: 'fine-tune' }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ param: 'purpose' });
    const expires_after = { anchor: 'created_at' as const, seconds: 1 };
    expect(await failed(own.files.create({ file, purpose: 'batch', expires_after }))).toMatchObject({
      status: 400,
      param: 'expires_after.seconds',
    });
    const { rows } = await bed.database.pool.query(`select from files where filename = 'a.jsonl'`);
    expect(rows).toEqual([]);
  });

  test.each([
    ['no boundary', 'multipart/form-data', 'x', 400],
    [
      'no end',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="file"; filename="left"\r\n\r\n{}',
      400,
    ],
    ['no part', 'multipart/form-data; boundary=b', '--b--\r\n', 400],
    [
      'another field',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="x"; filename="left"\r\n\r\n{}\r\n--b--\r\n',
      400,
    ],
    [
      'a prototype',
      'multipart/form-data; boundary=b',
      '--b\r\ncontent-disposition: form-data; name="__proto__"\r\n\r\n{}\r\n--b--\r\n',
      400,
    ],
    ['JSON', 'application/json', '{"purpose":"batch"}', 415],
  ])('an upload with %s is refused, and leaves nothing', async (_, type, body, status) => {
    const headers = { authorization: `Bearer ${await bed.newKey('submit')}`, 'content-type': type };
    const answer = await fetch(`${bed.baseURL}/files`, { method: 'POST', headers, body });
    expect([answer.status, await answer.json()]).toEqual([
      status,
      { error: expect.objectContaining({ type: 'invalid_request_error' }) as unknown },
    ]);
    const { rows } = await bed.database.pool.query(`select from files where filename = 'left'`);
    expect(rows).toEqual([]);
  });
});

describe('batches', () => {
  test('from upload to download: every line is answered, in the order of the file', async () => {
    await bed.startWorker();
    const input = await batches.upload([
      request('one'),
      request('many', { input: ['tea', 'bread', 'tea'] }),
      request('strict', { model: 'strict', input: 'text of one' }),
      request('named', { model: `${MODEL}:permissive`, input: 'text of one' }),
      'this is no JSON',
      request('image', { input: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }),
      request('nothing', { model: 'gpt-5' }),
      request('one', { input: 'again' }),
      request('elsewhere', {}, { url: '/v1/chat/completions' }),
    ]);
    const created = await client.batches.create({
      input_file_id: input,
      endpoint: '/v1/moderations',
      completion_window: '24h',
      metadata: { night: '24' },
      output_expires_after: { anchor: 'created_at', seconds: 7200 },
    });
    expect(created).toMatchObject({
      object: 'batch',
      status: 'validating',
      metadata: { night: '24' },
      input_file_id: input,
    });
    const batch = await batches.untilOver(created.id);
    expect(batch).toMatchObject({
      status: 'completed',
      model: MODEL,
      request_counts: { total: 9, completed: 4, failed: 5 },
      errors: null,
    });
    for (const time of [batch.in_progress_at, batch.finalizing_at, batch.completed_at])
      expect(time).toBeGreaterThanOrEqual(created.created_at);

    const output = await batches.lines(batch.output_file_id);
    expect(output.map(({ custom_id, response }) => [custom_id, response?.body.model])).toEqual([
      ['one', MODEL],
      ['many', MODEL],
      ['strict', `${MODEL}:strict`],
      ['named', `${MODEL}:permissive`],
    ]);
    const single = await client.moderations.create({ input: ['text of one', 'tea', 'bread', 'tea'] });
    const [one, ...many] = single.results.map(({ category_scores }) => category_scores);
    const scores = output.map(({ response }) => response?.body.results.map(({ category_scores: s }) => s));
    expect(scores).toEqual([[one], many, [one], [one]]);
    expect(output[2]?.response?.body.results[0]).toMatchObject({ threshold: expect.closeTo(0.1) as number });

    const errors = await batches.lines(batch.error_file_id);
    const outcome = ({ custom_id, response, error }: Line): unknown[] => [
      custom_id,
      response?.status_code ?? null,
      error?.code ?? response?.body.error?.code,
    ];
    expect(errors.map(outcome)).toEqual([
      [null, null, 'invalid_json_line'],
      ['image', 400, 'unsupported_value'],
      ['nothing', 404, 'model_not_found'],
      ['one', null, 'duplicate_custom_id'],
      ['elsewhere', null, 'url_mismatch'],
    ]);
    expect(errors[0]?.error?.message).toMatch(/^Line 5: /);
    expect(new Set([...output, ...errors].map(({ id }) => id)).size).toBe(9);

    const files = [];
    for await (const file of client.files.list({ purpose: 'batch_output' })) files.push(file.id);
    expect(files).toEqual(expect.arrayContaining([batch.output_file_id, batch.error_file_id]));
    const kept = await client.files.retrieve(batch.output_file_id ?? '');
    expect((kept.expires_at ?? 0) - kept.created_at).toBeGreaterThanOrEqual(7199);
  });

  test('one of which nothing can be scored has failed, and says why', async () => {
    const empty = await batches.untilOver(await batches.create(await batches.upload([])));
    expect(empty).toMatchObject({ status: 'failed', errors: { data: [{ code: 'empty_file' }] } });
    const broken = await batches.untilOver(
      await batches.create(await batches.upload(['{', request('a', { model: 'x' })])),
    );
    expect(broken).toMatchObject({
      status: 'failed',
      request_counts: { total: 2, completed: 0, failed: 2 },
      errors: {
        data: [
          { code: 'invalid_json_line', line: 1 },
          { code: 'model_not_found', line: 2, param: 'model' },
        ],
      },
    });
    expect(await failed(client.batches.cancel(broken.id))).toBeInstanceOf(OpenAI.ConflictError);
  });

  test('what cannot be a batch is refused', async () => {
    expect(await failed(batches.create('file-nothing'))).toBeInstanceOf(OpenAI.NotFoundError);
    const input = await batches.upload([request('a')]);
    const wrong = { input_file_id: input, endpoint: '/v1/responses', completion_window: '24h' } as const;
    expect(await failed(client.batches.create(wrong))).toMatchObject({ status: 400, param: 'endpoint' });
    const metadata = Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`key ${i}`, 'x']));
    expect(
      await failed(client.batches.create({ ...wrong, endpoint: '/v1/moderations', metadata })),
    ).toMatchObject({ status: 400, param: 'metadata' });
    expect(await failed(client.batches.retrieve('batch_nothing'))).toBeInstanceOf(OpenAI.NotFoundError);
  });

  test('they are listed, the newest first, page by page; those of another key are not there', async () => {
    const [own, other, reader] = await Promise.all([
      bed.client('submit'),
      bed.client('submit'),
      bed.client('read'),
    ]);
    const input = await new BatchClient(own).upload([request('a')]);
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) ids.unshift(await new BatchClient(own).create(input));
    const listed: string[] = [];
    for await (const { id } of own.batches.list({ limit: 2 })) listed.push(id);
    expect(listed).toEqual(ids);
    expect((await other.batches.list()).data).toEqual([]);
    const asks = [
      () => other.files.retrieve(input),
      () => other.files.content(input),
      () => other.files.delete(input),
      () => other.batches.retrieve(ids[0] ?? ''),
      () => other.batches.cancel(ids[0] ?? ''),
      () => other.batches.list({ after: ids[0] ?? '' }),
      () => new BatchClient(other).create(input),
    ];
    for (const ask of asks) expect(await failed(ask())).toBeInstanceOf(OpenAI.NotFoundError);
    expect((await reader.batches.retrieve(ids[0] ?? '')).id).toBe(ids[0]);
    expect(await failed(new BatchClient(reader).create(input))).toBeInstanceOf(OpenAI.PermissionDeniedError);
    for (const id of ids) await new BatchClient(own).untilOver(id);
  });
});
