import { afterAll, beforeAll, expect, test } from 'vitest';
import { addBatch } from '../batches/batches.js';
import { TestDatabase } from '../testing/index.js';
import {
  beginFile,
  CHUNK_BYTES,
  deleteFile,
  FileWriter,
  findFile,
  forgetFiles,
  readFileChunks,
} from './files.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database?.close());

async function begin(id: string): Promise<FileWriter> {
  await beginFile(database.pool, { id, filename: 'a.jsonl', purpose: 'batch' });
  return new FileWriter(database.pool, id);
}

async function contentOf(id: string): Promise<Buffer | undefined> {
  const file = await findFile(database.pool, id);
  if (file === undefined) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of readFileChunks(database.pool, file)) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test.each([0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES + 7])(
  'what is written in pieces is read as it was: %i bytes',
  async (bytes) => {
    const id = `file-${bytes}`;
    const content = Buffer.alloc(bytes, 'never the same length. ');
    const writer = await begin(id);
    for (let at = 0; at < bytes; at += 700_000) await writer.write(content.subarray(at, at + 700_000));
    expect(await contentOf(id)).toBeUndefined();
    expect(await writer.complete()).toMatchObject({ id, bytes, expiresAt: null });
    expect((await contentOf(id))?.equals(content)).toBe(true);
  },
);

test('a piece may be text, and larger than a chunk', async () => {
  const text = 'é'.repeat(CHUNK_BYTES);
  const writer = await begin('file-text');
  await writer.write(text);
  await writer.complete(60);
  expect((await contentOf('file-text'))?.toString()).toBe(text);
});

test('a file that is deleted while it is read or written is an error, not an end', async () => {
  const { pool } = database;
  const writer = await begin('file-going');
  await writer.write(Buffer.alloc(2 * CHUNK_BYTES));
  const file = await writer.complete();
  const chunks = readFileChunks(pool, file);
  await chunks.next();
  expect(await deleteFile(pool, 'file-going')).toBe(true);
  await expect(chunks.next()).rejects.toThrow('file-going was deleted while it was read');
  await expect(writer.complete()).rejects.toThrow('file-going');
});

test('a file that a batch needs is neither deleted nor forgotten', async () => {
  const { pool } = database;
  await (await begin('file-needed')).complete();
  await pool.query(`update files set expires_at = now() - interval '1 hour' where id = 'file-needed'`);
  await addBatch(pool, {
    id: 'batch_a',
    inputFile: 'file-needed',
    endpoint: '/v1/moderations',
    completionWindow: '24h',
    expiresAt: new Date(Date.now() + 60_000),
  });
  const there = async (): Promise<number> =>
    (await pool.query(`select from files where id = 'file-needed'`)).rowCount ?? 0;
  expect(await findFile(pool, 'file-needed')).toBeUndefined();
  expect(await deleteFile(pool, 'file-needed')).toBe(false);
  await forgetFiles(pool);
  expect(await there()).toBe(1);
  await pool.query(`update batches set state = 'completed'`);
  await forgetFiles(pool);
  expect(await there()).toBe(0);
});
