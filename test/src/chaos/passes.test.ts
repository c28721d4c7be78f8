import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratchDir } from '../setup/scratch.js';
import { readPasses } from './passes.js';

test('passes over what had a score are re-run; what measures costs, and half a line, do not count', async () => {
  const dir = scratchDir();
  await writeFile(join(dir, 'passes-1'), 'a b\nprobe\nc\na');
  await writeFile(join(dir, 'passes-2'), 'b probe\nc d\n');
  expect(await readPasses(dir, new Set(['a', 'b', 'c', 'd']))).toEqual({
    passes: 4,
    rerun: 1,
    scored: 6,
    scoredAgain: 2,
  });
});
