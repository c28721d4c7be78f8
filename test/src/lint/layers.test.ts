import { execFile } from 'node:child_process';
import { copyFile, mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { scratchDir } from '../setup/scratch.js';
import { ROOT } from '../setup/tocsin.js';

/** What each package and app may import of the others: only what lies below it. */
const ALLOWED: Record<string, string[]> = {
  errors: [],
  siren: ['errors'],
  backbone: ['errors', 'siren'],
  models: ['errors', 'siren'],
  engine: ['errors', 'siren', 'backbone', 'models'],
  queue: ['errors'],
  store: ['errors'],
  corpus: ['errors'],
  evaluate: ['errors'],
  telemetry: ['errors'],
  producer: ['errors', 'siren', 'engine', 'queue', 'store', 'corpus', 'telemetry'],
  worker: ['errors', 'siren', 'engine', 'queue', 'store', 'telemetry'],
  scheduler: ['errors', 'queue', 'store', 'evaluate'],
  dashboard: [
    'errors',
    'siren',
    'models',
    'engine',
    'queue',
    'store',
    'corpus',
    'evaluate',
    'telemetry',
    'producer',
    'worker',
    'scheduler',
  ],
};
const APPS = ['producer', 'worker', 'scheduler', 'dashboard'];
const UNITS = Object.keys(ALLOWED);

const BIOME = createRequire(import.meta.url).resolve('@biomejs/biome/bin/biome');

const fileOf = (unit: string, imported: string): string =>
  `${APPS.includes(unit) ? 'apps' : 'packages'}/${unit}/src/imports-${imported.replaceAll('/', '-')}.ts`;

/** The imports of each file that the linter's layers rule objects to, as `file`s. */
async function offenders(dir: string): Promise<string[]> {
  const args = [BIOME, 'lint', '--reporter=json', '--max-diagnostics=none', '.'];
  const json = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: dir, maxBuffer: 2 ** 24 }, (_error, stdout) => resolve(stdout));
  });
  const { diagnostics } = JSON.parse(json) as {
    diagnostics: { message: string; location: { path: string } }[];
  };
  return diagnostics
    .filter(({ message }) => message.startsWith('Imports only go down the layers'))
    .map(({ location }) => location.path)
    .toSorted();
}

let found: string[];
/** One file for each import that can be thought of, in a copy of the folders: nothing can be left in the checkout. */
beforeAll(async () => {
  const dir = scratchDir();
  await copyFile(join(ROOT, 'biome.json'), join(dir, 'biome.json'));
  for (const unit of UNITS) {
    for (const other of UNITS.filter((name) => name !== unit)) {
      for (const imported of [other, `${other}/dist/part.js`]) {
        const file = join(dir, fileOf(unit, imported));
        await mkdir(dirname(file), { recursive: true });
        await writeFile(file, `import * as other from '@tocsin/${imported}';\n\nexport { other };\n`);
      }
    }
  }
  found = await offenders(dir);
});

test.each(UNITS)('%s may import what lies below it, and nothing else', (unit) => {
  const forbidden = UNITS.filter((other) => other !== unit && !ALLOWED[unit]?.includes(other));
  const expected = forbidden.flatMap((other) => [fileOf(unit, other), fileOf(unit, `${other}/dist/part.js`)]);
  const prefix = dirname(fileOf(unit, 'x'));
  expect(found.filter((file) => dirname(file) === prefix)).toEqual(expected.toSorted());
});
