import type { TableMode } from '@tocsin/core';
import { checkOutput, type ScoreRow, writerFor } from '@tocsin/corpus';
import { TestDatabase } from '@tocsin/store/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';

let database: TestDatabase;
beforeAll(async () => {
  database = await TestDatabase.empty();
});
afterAll(() => database.close());

const scored = (key: string, score: number): ScoreRow => ({
  key,
  score,
  harmful: score >= 0.5,
  threshold: 0.5,
  tokens: 3,
  truncated: false,
});

async function write(table: string, rows: ScoreRow[], tableMode?: TableMode): Promise<void> {
  const options = { table, ...(tableMode && { tableMode }) };
  await checkOutput(database.url, undefined, options);
  const writer = await writerFor(database.url, undefined, options);
  try {
    await writer.write(rows);
    await writer.finish();
  } catch (error) {
    await writer.abort();
    throw error;
  }
}

async function stored(table: string): Promise<unknown[]> {
  const { rows } = await database.outside.query(
    `select key, score, harmful, threshold, tokens, truncated, error from ${table} order by key, score`,
  );
  return rows;
}

test('a table is made; a row with an error has only that', async () => {
  await write('Odd name', [scored('a', 0.123456789), { key: 'b', error: 'no text', unreadable: true }]);
  expect(await stored('"Odd name"')).toEqual([
    { ...scored('a', 0.123456789), error: null },
    {
      key: 'b',
      score: null,
      harmful: null,
      threshold: null,
      tokens: null,
      truncated: null,
      error: 'no text',
    },
  ]);
});

test('replace: writing again changes nothing, and of equal keys the last row stays', async () => {
  const rows = [scored('a', 0.1), scored('b', 0.2), scored('a', 0.9)];
  await write('replaced', rows);
  await write('replaced', rows);
  await write('replaced', [scored('c', 0.3)], 'replace');
  expect(await stored('replaced')).toMatchObject([
    { key: 'a', score: 0.9, harmful: true },
    { key: 'b', score: 0.2 },
    { key: 'c', score: 0.3 },
  ]);
});

test('append: rows are added, whatever is there; a schema may be named', async () => {
  await database.outside.query('create schema audit');
  for (let i = 0; i < 2; i += 1) await write('audit.scores', [scored('a', 0.1), scored('a', 0.1)], 'append');
  expect(await stored('audit.scores')).toHaveLength(4);
});

test('fail: a table with rows is refused before anything is done', async () => {
  await write('once', [scored('a', 0.1), scored('a', 0.2)], 'fail');
  await expect(
    checkOutput(database.url, undefined, { table: 'once', tableMode: 'fail' }),
  ).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^the table once on postgres.* already has rows/),
  });
  expect(await stored('once')).toHaveLength(2);
});

test('many rows, in pages', async () => {
  await write(
    'pages',
    Array.from({ length: 12_001 }, (_, i) => scored(`key ${i}`, 0.5)),
  );
  const { rows } = await database.outside.query('select count(*)::int as n from pages');
  expect(rows).toEqual([{ n: 12_001 }]);
});

test('a table that does not fit is refused before anything is done', async () => {
  await database.outside.query('create table other (key text, note text)');
  await expect(checkOutput(database.url, undefined, { table: 'other' })).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/table other on postgres.*column "score"/),
  });
  await database.outside.query('create table loose (like replaced)');
  await expect(checkOutput(database.url, undefined, { table: 'loose' })).rejects.toMatchObject({
    message: expect.stringContaining('has no unique index on "key"'),
    hint: expect.stringContaining('--out-mode append'),
  });
  await expect(checkOutput(database.url, undefined, { table: 'nowhere.scores' })).rejects.toMatchObject({
    message: expect.stringContaining('does not exist and cannot be created'),
    hint: expect.stringContaining('The schema "nowhere" does not exist'),
  });
});

test('a database without a table, and a table without a database, are refused', async () => {
  await expect(checkOutput(database.url)).rejects.toMatchObject({
    hint: expect.stringContaining('--out-table'),
  });
  await expect(checkOutput('out.jsonl', undefined, { table: 'scores' })).rejects.toMatchObject({
    name: 'UserError',
  });
  await expect(checkOutput(database.url, 'csv', { table: 'scores' })).rejects.toMatchObject({
    name: 'UserError',
  });
});
