import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ErrorBody, ItemList, MadeRun, Run } from '@tocsin/contract';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DashboardBed } from '../testing/dashboard-bed.js';
import { sweepUploads } from './uploads.js';

let bed: DashboardBed;
beforeAll(async () => {
  bed = await DashboardBed.open({ limits: { uploadBytes: 10_000 } });
});
afterAll(async () => {
  await bed.close();
  expect(await uploads()).toEqual([]);
});

const uploads = async () => (await readdir(tmpdir())).filter((name) => name.startsWith('tocsin-upload-'));

interface Part {
  name: string;
  content: string | Buffer;
  filename?: string;
}

/** A form as a browser sends it. */
function form(parts: readonly Part[]): { headers: Record<string, string>; body: Buffer } {
  const boundary = '----a-boundary';
  const chunks = parts.flatMap(({ name, content, filename }) => [
    Buffer.from(
      `--${boundary}\r\ncontent-disposition: form-data; name="${name}"${
        filename === undefined ? '' : `; filename="${filename}"\r\ncontent-type: application/octet-stream`
      }\r\n\r\n`,
    ),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return {
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: Buffer.concat([...chunks, Buffer.from(`--${boundary}--\r\n`)]),
  };
}

const upload = (...parts: Part[]) =>
  bed.ask<MadeRun & ErrorBody>('submit', { method: 'POST', url: '/api/runs/upload', ...form(parts) });

async function rowsOf(id: number, count: number) {
  const list = async () =>
    (await bed.ask<ItemList>('submit', { url: `/api/runs/${id}/items?order=seq` })).body.data;
  await expect.poll(async () => (await list()).length).toBe(count);
  return list();
}

test('files of several formats are one corpus, and rows say which file of the client they stand in', async () => {
  const { status, body } = await upload(
    { name: 'retain', content: 'all' },
    { name: 'textField', content: 'words' },
    { name: 'file', filename: 'a.csv', content: 'id,words\n1,one\n2,"two, three"\n' },
    { name: 'file', filename: '../../b.jsonl.gz', content: gzipSync('{"words":"four"}\nnot json\n') },
  );
  expect(status).toBe(202);
  expect(body.name).toBe('a.csv b.jsonl.gz');
  const rows = await rowsOf(body.id, 4);
  expect(rows.map(({ key, preview }) => [key, preview])).toEqual([
    ['1', 'one'],
    ['2', 'two, three'],
    ['b.jsonl.gz:line:1', 'four'],
    ['b.jsonl.gz:line:2', null],
  ]);
  expect(rows[3]?.reason).toMatch(/^b\.jsonl\.gz, line 2: The line is not JSON/);
});

test('what was guessed of a file is kept with the run, and calls the file what the client calls it', async () => {
  const { body } = await upload({ name: 'file', filename: 'my corpus.csv', content: 'ID,Text\n1,one\n' });
  const notes = async () => (await bed.ask<Run>('submit', { url: `/api/runs/${body.id}` })).body.notes;
  await expect
    .poll(notes)
    .toEqual([
      '"my corpus.csv": the column "Text" is read as "text".',
      '"my corpus.csv": the column "ID" is read as "id".',
    ]);
});

test('what is wrong with a file as a whole is told without saying where it lies', async () => {
  const { status, body } = await upload({ name: 'file', filename: 'a.jsonl.gz', content: 'no gzip' });
  // The run may or may not exist by then: both are correct.
  if (status === 202) {
    const run = async () => (await bed.ask<Run>('submit', { url: `/api/runs/${body.id}` })).body;
    await expect.poll(async () => (await run()).state).toBe('failed');
    expect((await run()).reason).toContain('a.jsonl.gz');
    expect((await run()).reason).not.toContain(tmpdir());
  } else expect(body.error.message).not.toContain(tmpdir());
});

test('what is no upload is refused, and leaves nothing behind', async () => {
  const file = { name: 'file', filename: 'a.jsonl', content: '{}' };
  const refusals: [Part[], number, string | undefined][] = [
    [[], 400, 'file'],
    [[{ name: 'name', content: 'x' }], 400, 'file'],
    [[{ name: 'other', content: 'x' }, file], 400, undefined],
    [[{ name: 'threshold', content: '7' }, file], 400, 'threshold'],
    [[{ name: 'shape', content: 'square' }, file], 400, 'shape'],
    [[{ name: 'name', content: 'a' }, { name: 'name', content: 'b' }, file], 400, 'name'],
    [[{ name: 'guard', content: 'none' }, file], 404, 'guard'],
    [[{ name: '__proto__', content: 'x' }, file], 400, undefined],
    [[{ ...file, content: 'x'.repeat(20_000) }], 413, undefined],
  ];
  for (const [parts, status, field] of refusals) {
    const answer = await upload(...parts);
    expect([answer.status, answer.body.error.field]).toEqual([status, field]);
  }
  const json = await bed.ask('submit', { method: 'POST', url: '/api/runs/upload', body: {} });
  expect(json.status).toBe(415);
  const broken = await bed.ask('submit', {
    method: 'POST',
    url: '/api/runs/upload',
    headers: { 'content-type': 'multipart/form-data; boundary=x' },
    body: Buffer.from('--x\r\nnothing'),
  });
  expect(broken.status).toBe(400);
  await expect.poll(uploads).toEqual([]);
});

test('the files of an upload count together', async () => {
  const before = await uploads();
  const refused = await upload(
    { name: 'file', filename: 'a.jsonl', content: 'x'.repeat(6_000) },
    { name: 'file', filename: 'b.jsonl', content: 'y'.repeat(6_000) },
  );
  expect(refused.status).toBe(413);
  expect(refused.body.error.message).toBe('the files have more than 10000 bytes in all');
  expect(await uploads()).toEqual(before);
});

test('an upload that the disk has no room for is refused before it is written', async () => {
  const tight = await DashboardBed.open({ limits: { diskHeadroomBytes: 2 ** 60 } });
  try {
    const rows = [{ text: 'tea' }];
    const refused = await tight.ask<ErrorBody>('submit', {
      method: 'POST',
      url: '/api/runs',
      body: { rows },
    });
    expect(refused.status).toBe(503);
    expect(refused.body.error.message).toMatch(/^there is no room for the upload: /);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
  } finally {
    await tight.close();
  }
});

test("a key's open runs have so many rows and no more; another key's are its own", async () => {
  const bounded = await DashboardBed.open({ limits: { rowsPerKey: 3 } });
  try {
    const submit = (caller: 'submit' | 'admin', texts: string[]) =>
      bounded.ask<MadeRun & ErrorBody>(caller, {
        method: 'POST',
        url: '/api/runs',
        body: { rows: texts.map((text) => ({ text })) },
      });
    const first = await submit('submit', ['one', 'two', 'three']);
    expect(first.status).toBe(202);
    const rows = async () =>
      (await bounded.ask<Run>('submit', { url: `/api/runs/${first.body.id}` })).body.counters.rows;
    await expect.poll(rows).toBe(3);
    const refused = await submit('submit', ['four']);
    expect(refused.status).toBe(429);
    expect(refused.body.error.message).toBe('the open runs of this key have 3 rows, and 3 may be');
    const long = await submit('admin', ['one', 'two', 'three', 'four']);
    expect(long.status).toBe(202);
    const state = async () =>
      (await bounded.ask<Run>('admin', { url: `/api/runs/${long.body.id}` })).body.state;
    await expect.poll(state).toMatch(/failed|cancelled/);
  } finally {
    await bounded.close();
  }
});

test('what a killed server has left of uploads is removed; what is of a server that runs stays', async () => {
  const root = await mkdtemp(join(tmpdir(), 'tocsin-sweep-'));
  const gone = spawnSync(process.execPath, ['-e', '']).pid;
  const names = [
    `tocsin-upload-${gone}-AbCdEf`,
    `tocsin-upload-${process.ppid}-AbCdEf`,
    'tocsin-upload-AbCdEf',
  ];
  for (const name of [...names, 'tocsin-upload-of-mine']) await mkdir(join(root, name));
  const old = new Date(Date.now() - 48 * 60 * 60_000);
  await utimes(join(root, 'tocsin-upload-AbCdEf'), old, old);
  await sweepUploads(bed.app.log, root);
  expect((await readdir(root)).toSorted()).toEqual(
    [`tocsin-upload-${process.ppid}-AbCdEf`, 'tocsin-upload-of-mine'].toSorted(),
  );
  await rm(root, { recursive: true });
});

test('a key has no more corpora read at once than it may', async () => {
  const tight = await DashboardBed.open({ limits: { submissionsPerKey: 1 } });
  const submit = (caller: 'submit' | 'admin') =>
    tight.ask<ErrorBody>(caller, { method: 'POST', url: '/api/runs', body: { rows: [{ text: 'tea' }] } });
  const client = await tight.database.pool.connect();
  // Nothing is stored until this ends.
  await client.query('begin');
  await client.query('lock table items in access exclusive mode');
  expect((await submit('submit')).status).toBe(202);
  const refused = await submit('submit');
  expect([refused.status, refused.headers['retry-after']]).toEqual([429, '5']);
  expect(refused.body.error.message).toBe('too many submissions: 1 of this key are being read, and 1 may be');
  expect((await submit('admin')).status).toBe(202);
  await client.query('rollback');
  client.release();
  await expect.poll(async () => (await submit('submit')).status).toBe(202);
  await tight.close();
});
