import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { withModelProgress } from './model-progress.js';

/** Captures output of a stream that is, or is not, a terminal. */
async function shown(isTTY: boolean): Promise<string> {
  const stream = Object.assign(new PassThrough(), { isTTY, columns: 80, rows: 24 });
  const all = text(stream);
  await withModelProgress(
    async ({ onEvent, onBytes }) => {
      onEvent({ step: 'fetch', message: 'Fetching a guard' });
      for (let done = 0; done <= 1000; done += 100) {
        onBytes({ label: 'lab/x', file: 'model.safetensors', done: done * 1e6, total: 1e9 });
      }
    },
    { stream: stream as unknown as NodeJS.WriteStream },
  );
  stream.end();
  return all;
}

test('a terminal gets a bar of bytes', async () => {
  const output = await shown(true);
  expect(output).toContain('Fetching a guard\n');
  expect(output).toMatch(/model\.safetensors .*0% \| 0 B of 1\.0 GB/);
});

test('a log gets the event and not a line a chunk', async () => {
  expect(await shown(false)).toBe('Fetching a guard\n');
});
