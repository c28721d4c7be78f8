import { join } from 'node:path';
import { runCommand } from '@tocsin/models';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ROOT } from '../setup/tocsin.js';
import { MODEL, OpenaiBed } from './openai-bed.js';
import { type PythonClient, pythonClient } from './python.js';

const SCRIPT = join(ROOT, 'test', 'src', 'openai', 'client.py');

let bed: OpenaiBed;
let python: PythonClient;
beforeAll(async () => {
  python = await pythonClient();
  bed = await OpenaiBed.start();
  await bed.startWorker();
});
afterAll(() => bed?.close());

const result = (flagged: boolean, threshold: number): unknown =>
  expect.objectContaining({
    flagged,
    categories: expect.objectContaining({ harmful: flagged }) as unknown,
    threshold: expect.closeTo(threshold) as number,
  });

test("OpenAI's Python client does all that a caller needs", async () => {
  const { command, env } = python;
  const ran = await runCommand(command, [SCRIPT, bed.baseURL, await bed.newKey('submit'), MODEL], { env });
  expect(ran, ran.stderr).toMatchObject({ exitCode: 0 });
  const done = JSON.parse(ran.stdout) as Record<string, Record<string, unknown>>;
  const { score } = done.moderations ?? {};
  expect(score).toBeTypeOf('number');
  const flagged = Number(score) >= 0.5;
  expect(done.moderations).toMatchObject({
    answers: {
      string: { model: MODEL, results: [result(flagged, 0.5)] },
      strings: { model: MODEL, results: [result(flagged, 0.5), expect.anything()] },
      parts: { model: `${MODEL}:strict`, results: [result(Number(score) >= 0.1, 0.1)] },
    },
    harmful: score,
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
    ...{ class: name, status, code, param },
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
