import { stat } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { scoredRun } from '@tocsin/dashboard/testing';
import { createKey } from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { goldenGuard, TocsinProcess, tocsin } from '../setup/tocsin.js';

const GUARD = 'qwen3-residual';
const ROWS = 200;
const LETTERS = 1_200_000;
/** Less than half the size of the texts: a process that loads all of them dies. */
const HEAP_MB = 100;

let database: TestDatabase;
let server: TocsinProcess;
let origin: string;
let key: string;
let runs: number[];
beforeAll(async () => {
  database = await TestDatabase.migrated();
  const { pool } = database;
  const rows = Array.from({ length: ROWS }, (_, i) => ({ text: `text ${i}`, score: i / ROWS }));
  const turned = rows.map(({ text }, i) => ({ text: `${text} again`, score: 1 - i / ROWS }));
  const paper = { fingerprint: 'f'.repeat(64), retain: 'all' } as const;
  runs = [await scoredRun(pool, { ...paper, rows }), await scoredRun(pool, { ...paper, rows: turned })];
  // The uncompressed size of a gzip file of about a megabyte.
  await pool.query(
    `update item_texts set json = case when seq % 2 = 0 then '{"text":"' || repeat('tea ', $1) || '"}'
       else '{"messages":"[{\\"role\\":\\"user\\",\\"content\\":\\"' || repeat('tea ', $1) || '\\"}]"}' end
     where run_id = $2`,
    [LETTERS / 4, runs[0]],
  );
  key = (await createKey(pool, { name: 'all', role: 'admin', createdBy: 'test' })).key;
  server = new TocsinProcess(['dashboard', ...goldenGuard(GUARD), '--port', '0'], {
    env: { DATABASE_URL: database.url, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` },
  });
  origin = await server.said(/http:\/\/127\.0\.0\.1:\d+(?=; Ctrl-C)/);
});
afterAll(async () => {
  server.kill('SIGTERM');
  await server.ended;
  await database.close();
});

async function ask<Body>(path: string, body?: unknown): Promise<Body> {
  const response = await fetch(`${origin}${path}`, {
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.ok, text.slice(0, 500)).toBe(true);
  return JSON.parse(text) as Body;
}

/** Reads a body without keeping it. @returns its lines and bytes */
function measure(path: string): Promise<{ lines: number; bytes: number }> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${key}` };
    request(`${origin}${path}`, { headers }, (incoming) => {
      let [lines, bytes] = [0, 0];
      incoming.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        for (const byte of chunk) if (byte === 10) lines += 1;
      });
      incoming.once('end', () => resolve({ lines, bytes }));
      incoming.once('error', reject);
    })
      .once('error', reject)
      .end();
  });
}

test('texts of hundreds of megabytes are listed, searched, compared, reviewed and exported in a small heap', async () => {
  const [run = 0, other = 0] = runs;
  interface Listed {
    data: { seq: number; preview: string }[];
    next: string | null;
  }
  const all = await ask<Listed>(`/api/runs/${run}/items?order=seq&limit=500`);
  expect(all.data).toHaveLength(ROWS);
  expect(all.data[0]?.preview).toMatch(/^user\ntea tea .*…$/);
  expect(all.data[1]?.preview).toMatch(/^tea tea .*…$/);

  // Without an index, each page of a search ends after reading a bounded number of bytes.
  await database.pool.query('update runs set searchable_at = null');
  await database.pool.query('update item_texts set search = null');
  const found: number[] = [];
  for (let cursor = ''; ; ) {
    const page = await ask<Listed>(`/api/runs/${run}/items?order=seq&limit=500&q=user${cursor}`);
    found.push(...page.data.map(({ seq }) => seq));
    if (page.next === null) break;
    cursor = `&cursor=${page.next}`;
  }
  expect(found).toEqual(Array.from({ length: ROWS / 2 }, (_, i) => 2 * i + 1));

  const compared = await ask<{ newRows: number }>(`/api/runs/${run}/compare/${other}?examples=100`);
  expect(compared).toMatchObject({ both: ROWS });
  const { row } = await ask<{ row: { seq: number } }>('/api/reviews/next', { run });
  await ask('/api/reviews/verdicts', { run, seq: row.seq, verdict: 'fine' });

  const exports = [1, 2].map(() => measure(`/api/runs/${run}/export?withText=true`));
  for (const { lines, bytes } of await Promise.all(exports)) {
    expect(lines).toBe(ROWS);
    expect(bytes).toBeGreaterThan(ROWS * LETTERS);
  }
  expect((await measure(`/api/reviews/export?run=${run}`)).lines).toBe(1);

  // The server indexes the texts in the background.
  const searchable = async () => {
    const { rows } = await database.pool.query('select 1 from runs where searchable_at is null');
    return rows.length;
  };
  await expect.poll(searchable, { interval: 1_000 }).toBe(0);
  expect(await ask(`/api/runs/${run}`)).toMatchObject({ id: run });
});

test('the command exports them in as little', async () => {
  const env = { DATABASE_URL: database.url, NODE_OPTIONS: `--max-old-space-size=${HEAP_MB}` };
  const out = join(scratchDir(), 'scores.jsonl');
  const { exitCode, stderr } = await tocsin(['export', String(runs[0]), '--with-text', '--out', out], {
    env,
  });
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  expect((await stat(out)).size).toBeGreaterThan(ROWS * LETTERS);
});
