import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createKey } from '../access/keys.js';
import { addBatch, changeBatch, endBatch, settleBatches, takeBatch } from '../batches/batches.js';
import { purgeRuns } from '../runs/purge-runs.js';
import { storeScoredRun } from '../testing/fixtures.js';
import { TestDatabase } from '../testing/index.js';
import {
  beginFile,
  CHUNK_BYTES,
  completeFile,
  deleteFile,
  type FileRow,
  FileWriter,
  findFile,
  forgetFiles,
  pageFiles,
  purgeFiles,
  readFileChunks,
} from './files.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.migrated();
});
afterAll(() => database.close());

let files = 0;
async function storeFile(changes: Partial<Parameters<typeof beginFile>[1]> = {}): Promise<FileRow> {
  const id = `file-${++files}`;
  await beginFile(database.pool, { id, filename: 'in.jsonl', purpose: 'batch', ...changes });
  const writer = new FileWriter(database.pool, id);
  await writer.write('{}\n');
  return writer.complete();
}

const isThere = async (...ids: string[]): Promise<boolean[]> =>
  Promise.all(ids.map(async (id) => (await findFile(database.pool, id)) !== undefined));
const chunksOf = async (id: string): Promise<number> =>
  (await database.pool.query('select from file_chunks where file_id = $1', [id])).rowCount ?? 0;

test('a file is there when it is whole, and reads as it was written', async () => {
  const { pool } = database;
  await beginFile(pool, { id: 'file-whole', filename: 'a.jsonl', purpose: 'batch' });
  const writer = new FileWriter(pool, 'file-whole');
  const pieces = [
    randomBytes(10),
    randomBytes(2 * CHUNK_BYTES + 5),
    Buffer.from('ü'),
    randomBytes(CHUNK_BYTES),
  ];
  for (const piece of pieces) await writer.write(piece);
  expect(await isThere('file-whole')).toEqual([false]);
  const file = await writer.complete();
  const bytes = Buffer.concat(pieces);
  expect(file).toMatchObject({ id: 'file-whole', bytes: bytes.length, ownerKey: null, expiresAt: null });
  const read: Buffer[] = [];
  for await (const chunk of readFileChunks(pool, file)) {
    expect(chunk.length).toBeLessThanOrEqual(CHUNK_BYTES);
    read.push(chunk);
  }
  expect(Buffer.concat(read).equals(bytes)).toBe(true);
  expect(await deleteFile(pool, 'file-whole')).toBe(true);
  expect(await deleteFile(pool, 'file-whole')).toBe(false);
  expect(await chunksOf('file-whole')).toBe(0);
  await expect(async () => {
    for await (const chunk of readFileChunks(pool, file)) read.push(chunk);
  }).rejects.toThrow('deleted while it was read');
});

test('files are listed by owner and purpose, each once, in both directions', async () => {
  const { pool } = database;
  const { row: key } = await createKey(pool, { name: 'bot', role: 'submit', createdBy: 'local' });
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) ids.push((await storeFile({ ownerKey: key.id, purpose: 'listed' })).id);
  await storeFile({ purpose: 'listed' });
  await storeFile({ ownerKey: key.id });
  // All in one moment: the id tells them apart.
  await pool.query(`update files set created_at = '2026-01-01' where purpose = 'listed'`);
  for (const order of ['asc', 'desc'] as const) {
    const found: string[] = [];
    for (let after: string | undefined; ; ) {
      const page = await pageFiles(pool, { limit: 2, order, after, ownerKey: key.id, purpose: 'listed' });
      found.push(...page.map(({ id }) => id));
      after = page.at(-1)?.id;
      if (after === undefined) break;
    }
    expect(found).toEqual(order === 'asc' ? ids.toSorted() : ids.toSorted().reverse());
  }
});

test('what has expired, and what was broken off, is forgotten; what a batch needs is kept for it', async () => {
  const { pool } = database;
  const soon = await storeFile();
  const gone = await storeFile({ expiresAt: new Date(Date.now() - 1_000) });
  const needed = await storeFile();
  await addBatch(pool, newBatch('batch_needs', needed.id));
  await completeFile(pool, needed.id, 3, -1);
  await beginFile(pool, { id: 'file-broken', filename: 'a', purpose: 'batch' });
  await pool.query(`update files set created_at = now() - interval '2 days' where id = 'file-broken'`);
  await forgetFiles(pool);
  const { rows } = await pool.query<{ id: string }>('select id from files where id = any($1)', [
    [soon.id, gone.id, needed.id, 'file-broken'],
  ]);
  expect(rows.map(({ id }) => id).sort()).toEqual([soon.id, needed.id].sort());
  expect(await isThere(soon.id, gone.id, needed.id)).toEqual([true, false, false]);
});

const newBatch = (id: string, inputFile: string) => ({
  id,
  inputFile,
  endpoint: '/v1/moderations',
  completionWindow: '24h',
  expiresAt: new Date(Date.now() + 3_600_000),
});

test('a purged run takes the files with it that it was made from and that came of it', async () => {
  const { pool } = database;
  await pool.query('delete from batches');
  const run = await storeScoredRun(pool, [0.5]);
  const [input, output, errors, other] = [
    await storeFile(),
    await storeFile(),
    await storeFile(),
    await storeFile(),
  ];
  await addBatch(pool, newBatch('batch_purged', input.id));
  const taken = await takeBatch(pool);
  if (taken === undefined) throw new Error('there is no batch');
  await changeBatch(pool, taken, { state: 'in_progress', runId: run.id });
  expect(await settleBatches(pool)).toBe(1);
  const ended = await endBatch(pool, taken, {
    state: 'completed',
    total: 1,
    completed: 1,
    failed: 0,
    output,
    errors,
  });
  expect(ended).toBe(true);
  await purgeRuns(pool, [run.id]);
  expect(await isThere(input.id, output.id, errors.id, other.id)).toEqual([false, false, false, true]);
  expect(await chunksOf(input.id)).toBe(0);
});

test('old files go, whether they became a run or not', async () => {
  const { pool } = database;
  const [old, young] = [await storeFile(), await storeFile()];
  await pool.query(`update files set created_at = now() - interval '31 days' where id = $1`, [old.id]);
  expect(await purgeFiles(pool, 30)).toBeGreaterThanOrEqual(1);
  expect(await isThere(old.id, young.id)).toEqual([false, true]);
});
