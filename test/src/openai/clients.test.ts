import { join } from 'node:path';
import { Guard } from '@tocsin/engine';
import { runCommand } from '@tocsin/models';
import { goldenDirs } from '@tocsin/siren/testing';
import type { APIError } from 'openai';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { ROOT } from '../setup/tocsin.js';
import { MODEL, OpenaiBed, pythonClient } from './openai-bed.js';

const SCRIPT = join(ROOT, 'test', 'src', 'openai', 'client.py');
const TEXTS = ['tea in the garden', 'bread and butter', 'a letter to a friend'];
const [TEA = '', BREAD = '', LETTER = ''] = TEXTS;

let bed: OpenaiBed;
let client: OpenAI;
/** The library's result, text by text. */
const scores = new Map<string, number>();

beforeAll(async () => {
  bed = await OpenaiBed.start();
  await bed.startWorker();
  client = await bed.client('submit');
  const { artifact, backbone } = goldenDirs('qwen3-residual');
  const guard = await Guard.fromPretrained(artifact, {
    backbone,
    cacheDir: join(inject('scratch'), 'cache'),
  });
  const texts = [...TEXTS, `${TEA}\n${BREAD}`];
  const scored = await guard.scoreBatch(texts);
  for (const [i, text] of texts.entries()) scores.set(text, scored[i]?.score ?? Number.NaN);
  await guard.close();
});
afterAll(() => bed?.close());

const resultOf = (text: string, threshold: number): object => {
  const score = scores.get(text) ?? Number.NaN;
  const near = expect.closeTo(score, 5) as number;
  const flagged = score >= threshold;
  return {
    flagged,
    categories: { harmful: flagged },
    category_scores: { harmful: near },
    category_applied_input_types: { harmful: ['text'] },
    score: near,
    threshold,
    truncated: false,
  };
};

describe('moderations', () => {
  test.each([
    ['a string', TEA, [TEA]],
    ['an array of strings', TEXTS, TEXTS],
    [
      'text parts are one text',
      [TEA, BREAD].map((text) => ({ type: 'text' as const, text })),
      [`${TEA}\n${BREAD}`],
    ],
  ])('%s', async (_, input, texts) => {
    const answer = await client.moderations.create({ input, model: 'omni-moderation-latest' });
    expect(answer).toMatchObject({ id: expect.stringMatching(/^modr-/), model: MODEL });
    expect(answer.results).toEqual(texts.map((text) => resultOf(text, 0.5)));
    expect(answer._request_id).toMatch(/^[0-9a-f-]{36}$/);
  });

  test.each([
    [undefined, MODEL, 0.5],
    ['strict', `${MODEL}:strict`, 0.1],
    [`${MODEL}:permissive`, `${MODEL}:permissive`, 0.9],
  ])('the model %s', async (model, named, threshold) => {
    const answer = await client.moderations.create({ input: LETTER, ...(model && { model }) });
    expect(answer.model).toBe(named);
    expect(answer.results).toEqual([resultOf(LETTER, threshold)]);
  });

  test('a policy that is moved counts at once', async () => {
    await bed.database.pool.query(`insert into policies (name, threshold, meaning) values ('moving', 0, '')`);
    await bed.database.pool.query(
      `insert into policy_changes (policy_id, who, what) select id, 'test', 'created' from policies where name = 'moving'`,
    );
    const flagged = async (): Promise<boolean | undefined> =>
      (await client.moderations.create({ input: TEA, model: 'moving' })).results[0]?.flagged;
    expect(await flagged()).toBe(true);
    await bed.database.pool.query(`update policies set threshold = 1 where name = 'moving'`);
    expect(await flagged()).toBe(false);
  });
});

describe('models', () => {
  test('guards and policies are listed, and each can be asked for', async () => {
    const models = [];
    for await (const model of client.models.list()) models.push(model);
    expect(models.map(({ id }) => id)).toEqual(
      expect.arrayContaining([MODEL, 'strict', 'default', 'permissive']),
    );
    for (const model of models) expect(await client.models.retrieve(model.id)).toEqual(model);
    expect(await client.models.retrieve(`${MODEL}:strict`)).toMatchObject({
      object: 'model',
      threshold: 0.1,
    });
  });
});

const pythonResult = (flagged: boolean, threshold: number): unknown =>
  expect.objectContaining({
    flagged,
    categories: expect.objectContaining({ harmful: flagged }) as unknown,
    threshold: expect.closeTo(threshold) as number,
  });

test("OpenAI's Python client does all that a caller needs", async () => {
  const { command, env } = await pythonClient();
  const ran = await runCommand(command, [SCRIPT, bed.baseURL, await bed.newKey('submit'), MODEL], { env });
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
  const done = JSON.parse(ran.stdout) as Record<string, Record<string, unknown>>;
  const { score } = done.moderations ?? {};
  expect(score).toBeTypeOf('number');
  const flagged = Number(score) >= 0.5;
  expect(done.moderations).toMatchObject({
    answers: {
      string: { model: MODEL, results: [pythonResult(flagged, 0.5)] },
      strings: { model: MODEL, results: [pythonResult(flagged, 0.5), expect.anything()] },
      parts: { model: `${MODEL}:strict`, results: [pythonResult(Number(score) >= 0.1, 0.1)] },
    },
    harmful: score,
    absent: [null, null, null],
    flagged,
  });
  const { listed = [], found } = done.models ?? {};
  expect(listed).toEqual(expect.arrayContaining([MODEL, 'strict', 'default', 'permissive']));
  expect(found).toEqual([...(listed as string[]), `${MODEL}:strict`]);
  expect(done.batch).toMatchObject({
    uploaded: { filename: 'requests.jsonl', purpose: 'batch' },
    same: true,
    status: 'completed',
    counts: { completed: 2, failed: 1, total: 3 },
    metadata: { by: 'python' },
    lines: [
      ['request-0', 200],
      ['request-1', 200],
      ['request-2', 400],
    ],
    batches: true,
    files: ['batch', 'batch_output', 'batch_output'],
    deleted: true,
  });
  const refusal = (name: string, status: number, code: string | null, param: string | null): object => ({
    class: name,
    status,
    code,
    param,
    request: true,
  });
  expect(done.refusals).toEqual({
    image: refusal('BadRequestError', 400, 'unsupported_value', 'input[0]'),
    model: refusal('NotFoundError', 404, 'model_not_found', 'model'),
    file: refusal('NotFoundError', 404, null, 'id'),
    batch: refusal('NotFoundError', 404, null, 'id'),
    key: refusal('AuthenticationError', 401, 'invalid_api_key', null),
  });
});

const image = { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } };

describe('errors are those that the client has classes for', () => {
  const failed = async (asked: Promise<unknown>): Promise<APIError> =>
    asked.then(
      () => Promise.reject(new Error('it was answered')),
      (error: unknown) => error as APIError,
    );

  test.each([
    ['an image', [image], 'unsupported_value', 'input[0]'],
    ['an image among texts', [{ type: 'text' as const, text: 'a' }, image], 'unsupported_value', 'input[1]'],
    ['nothing', [], 'empty_array', 'input'],
    ['a number', 7 as unknown as string, 'invalid_type', 'input'],
    ['tokens', [1, 2] as unknown as string[], 'invalid_type', 'input[0]'],
    ['no input', undefined as unknown as string, 'missing_required_parameter', 'input'],
    ['too many texts', Array<string>(257).fill('a'), 'array_above_max_length', 'input'],
  ])('%s is a BadRequestError', async (_, input, code, param) => {
    const error = await failed(client.moderations.create({ input }));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', code, param });
    expect(error.requestID).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('a model that is none is a NotFoundError', async () => {
    const asks = [
      () => client.moderations.create({ input: 'a', model: 'gpt-5' }),
      () => client.models.retrieve('gpt-5'),
    ];
    for (const ask of asks) {
      const error = await failed(ask());
      expect(error).toBeInstanceOf(OpenAI.NotFoundError);
      expect(error).toMatchObject({ code: 'model_not_found', param: 'model' });
    }
  });

  test('an address that nothing is at is a NotFoundError', async () => {
    const error = await failed(client.chat.completions.create({ model: 'gpt-5', messages: [] }));
    expect(error).toBeInstanceOf(OpenAI.NotFoundError);
    expect(error).toMatchObject({ code: 'unknown_url' });
  });

  test('no key, and a wrong one, are an AuthenticationError; one that may not, a PermissionDeniedError', async () => {
    const wrong = new OpenAI({ baseURL: bed.baseURL, apiKey: 'sk-wrong', maxRetries: 0 });
    const error = await failed(wrong.moderations.create({ input: 'a' }));
    expect(error).toBeInstanceOf(OpenAI.AuthenticationError);
    expect(error).toMatchObject({ code: 'invalid_api_key', type: 'invalid_request_error' });
    const reader = await bed.client('read');
    const refused = await failed(reader.moderations.create({ input: 'a' }));
    expect(refused).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect(refused).toMatchObject({ code: 'insufficient_permissions' });
  });

  test('wrong keys in a row are a RateLimitError, which says when to try again', async () => {
    const wrong = new OpenAI({ baseURL: bed.baseURL, apiKey: 'tcs_wrong', maxRetries: 0 });
    await expect
      .poll(async () => (await failed(wrong.models.list())).constructor, { interval: 1 })
      .toBe(OpenAI.RateLimitError);
    const error = await failed(wrong.models.list());
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect(Number(error.headers?.get('retry-after'))).toBeGreaterThan(0);
  });
});
