import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../setup/processes.js';
import { OpenaiBed, pythonClient } from './openai-bed.js';

/** Pending texts allowed per key. */
const PENDING = 2;
/** Logs each retry to stderr (OPENAI_LOG), and at the end whether there is a score. */
const SCRIPT = `
import sys
from openai import OpenAI
base_url, key = sys.argv[1:]
client = OpenAI(base_url=base_url, api_key=key, max_retries=100)
print("score", client.moderations.create(input="a letter").results[0].score is not None, flush=True)
`;

let bed: OpenaiBed;
beforeAll(async () => {
  bed = await OpenaiBed.start({ TOCSIN_PENDING_ITEMS_PER_KEY: String(PENDING) });
});
afterAll(() => bed?.close());

/** Fills the key's pending limit: there is no worker. @returns a function that aborts the requests */
async function fill(key: string): Promise<() => void> {
  const leaving = new AbortController();
  const waiting = async (): Promise<number> => {
    const { rows } = await bed.database.pool.query(
      `select from parcels where state = 'waiting' and run_id is null`,
    );
    return rows.length;
  };
  const before = await waiting();
  fetch(`${bed.baseURL}/moderations`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      input: Array.from({ length: PENDING }, (_, i) => `tea for ${key.slice(-6)} ${i}`),
    }),
    signal: leaving.signal,
  }).catch(() => {});
  await until(async () => ((await waiting()) > before ? true : undefined));
  return () => leaving.abort();
}

test("OpenAI's clients are told to wait, do so by themselves, and have their scores in the end", async () => {
  const [nodeKey, pythonKey] = [await bed.newKey('submit', 'node'), await bed.newKey('submit', 'python')];
  const leave = [await fill(nodeKey), await fill(pythonKey)];

  const statuses: number[] = [];
  const { default: OpenAI } = await import('openai');
  const client = new OpenAI({
    baseURL: bed.baseURL,
    apiKey: nodeKey,
    maxRetries: 100,
    fetch: async (...asked: Parameters<typeof fetch>) => {
      const answer = await fetch(...asked);
      statuses.push(answer.status);
      return answer;
    },
  });
  const asked = client.moderations.create({ input: 'a letter' });
  const { command, env } = await pythonClient();
  const python = spawn(command, ['-c', SCRIPT, bed.baseURL, pythonKey], {
    env: { ...env, OPENAI_LOG: 'info' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  let logged = '';
  python.stdout.on('data', (chunk) => {
    said += String(chunk);
  });
  python.stderr.on('data', (chunk) => {
    logged += String(chunk);
  });
  const ended = once(python, 'exit');
  await until(() => {
    if (python.exitCode !== null) throw new Error(`the Python client has ended:\n${logged}`);
    return statuses.includes(429) && /Retrying request/.test(logged) ? true : undefined;
  });

  const direct = new OpenAI({ baseURL: bed.baseURL, apiKey: nodeKey, maxRetries: 0 });
  const error = await direct.moderations.create({ input: 'a letter' }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OpenAI.RateLimitError);
  expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'rate_limit_error' });

  for (const each of leave) each();
  await bed.startWorker();
  expect((await asked).results).toHaveLength(1);
  await ended;
  expect(said.trim().split('\n').at(-1)).toBe('score True');
  expect(new Set(statuses)).toEqual(new Set([429, 200]));
});
