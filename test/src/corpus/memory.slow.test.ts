import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';

const MB = 1024 * 1024;
const ROWS = 200_000;
/** 200,000 rows of 200 characters would need more. */
const HEAP_MB = 48;
const BUFFERS_MB = 48;

/** Reads a corpus, writes a score for each row, and prints the number of rows and the peak size of buffers. */
const SCRIPT = `
import { readCorpus, writerFor } from '@tocsin/corpus';
const [source, out] = process.argv.slice(1);
const writer = await writerFor(out);
let rows = 0;
let buffers = 0;
for await (const chunk of readCorpus([source])) {
  if (chunk.some(({ kind }) => kind !== 'item')) throw new Error('a reject');
  await writer.write(chunk.map(({ key }) => ({ key, score: 0.5, harmful: true, threshold: 0.5, tokens: 9, truncated: false })));
  rows += chunk.length;
  const { external, arrayBuffers } = process.memoryUsage();
  buffers = Math.max(buffers, external + arrayBuffers);
}
await writer.finish();
console.log(JSON.stringify({ rows, buffers }));
`;

let dir: string;
const ids = Array.from({ length: ROWS }, (_, i) => `row ${i}`);
const text = (id: string): string => `${id} ${'mild words about the weather '.repeat(7)}`;

beforeAll(async () => {
  dir = scratchDir();
  const jsonl = ids.map((id) => `${JSON.stringify({ id, text: text(id) })}\n`).join('');
  const csv = `id,text\n${ids.map((id) => `${id},${text(id)}\n`).join('')}`;
  const parquet = parquetWriteBuffer({
    columnData: [
      { name: 'id', data: ids, type: 'STRING' },
      { name: 'text', data: ids.map(text), type: 'STRING' },
    ],
    rowGroupSize: 5_000,
  });
  await writeFile(join(dir, 'rows.jsonl.gz'), gzipSync(jsonl));
  await writeFile(join(dir, 'rows.csv'), csv);
  await writeFile(join(dir, 'rows.parquet'), new Uint8Array(parquet));
});

test.each([
  ['rows.jsonl.gz', 'out.csv'],
  ['rows.csv', 'out.jsonl.gz'],
  ['rows.parquet', 'out.parquet'],
])('200,000 rows of %s become %s in constant memory', async (source, out) => {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [
      `--max-old-space-size=${HEAP_MB}`,
      '--input-type=module',
      '--eval',
      SCRIPT,
      '--',
      join(dir, source),
      join(dir, out),
    ],
    { cwd: import.meta.dirname },
  );
  const { rows, buffers } = JSON.parse(stdout) as { rows: number; buffers: number };
  expect(rows).toBe(ROWS);
  expect(buffers / MB).toBeLessThan(BUFFERS_MB);
});
