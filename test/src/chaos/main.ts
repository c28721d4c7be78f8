import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { findRedis } from '../setup/find-programs.js';
import { chaos, reportText } from './chaos.js';
import { POSSIBLE_FAULTS } from './faults.js';

/**
 * `npm run chaos -- [--minutes 5] [--seed 7] [--rows 50000] [--faults "worker killed,Redis killed"] [--pause 1-6]`:
 * injects faults into a fleet of real processes, and reports what happened to its rows.
 */
/** Rows per file: one submission, and one run. */
const ROWS_PER_FILE = 1000;
/** In words. */
const LONGEST = 12;
/** Each kills some dozens of engine processes before it is found. */
const POISONED = 5;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    rows: { type: 'string', default: '50000' },
    faults: { type: 'string' },
    pause: { type: 'string', default: '1-6' },
  },
});
const kinds = POSSIBLE_FAULTS.filter((fault) => values.faults?.split(',').includes(fault) ?? true);
const [shortest = 1, longest = shortest] = values.pause.split('-').map(Number);
const rows = Number(values.rows);
const dir = await mkdtemp(join(tmpdir(), 'tocsin-chaos-'));
// As root, the embedded server runs as another user, which needs access to its directory.
await chmod(dir, 0o755);
const interrupted = new AbortController();
process.once('SIGINT', () => interrupted.abort(new Error('interrupted')));
try {
  const report = await chaos({
    dir,
    redis: await findRedis(),
    cacheDir: join(dir, 'cache'),
    seed: Number(values.seed),
    rows,
    longest: LONGEST,
    files: Math.ceil(rows / ROWS_PER_FILE),
    poisoned: POISONED,
    durationMs: Number(values.minutes) * 60_000,
    pauseMs: [shortest * 1000, longest * 1000],
    kinds,
    signal: interrupted.signal,
    log: (line) => console.error(line),
  });
  console.log(reportText(report));
  const { lost, doubled, different, claims, parcelsLeft } = report.findings;
  if (lost + doubled + different.length + claims + parcelsLeft > 0) process.exitCode = 1;
} finally {
  await rm(dir, { recursive: true, force: true, maxRetries: 5 });
}
