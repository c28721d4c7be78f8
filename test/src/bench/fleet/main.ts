import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fleetCorpus } from '../corpus.js';
import { benchCeiling } from './ceiling.js';
import { benchGrowth } from './growth.js';
import { benchPartitions } from './partitions.js';
import { COSTS } from './simulated-cost.js';
import { benchQueueMemory, benchTableSizes } from './sizes.js';

/**
 * `npm run bench:fleet [-- names] [--rows n]`: a fleet on one machine with simulated engines: `ceiling` (the pipeline
 * with an engine that answers immediately), `memory` (of the queue), `sizes` (of the tables), `partitions` (of
 * docs/scaling.md), `growth` (throughput with 1, 2, 4 and 8 workers) and `saturation` (the same with devices faster
 * than the pipeline of one machine).
 */
const GUARD = 'starter';
const CEILING_ROWS = '300000';
/** Fraction of the number of short rows: they have six times the tokens. */
const MIXED_SHARE = 5;
const GROWTH_ROWS = 120_000;
const SATURATION_ROWS = 150_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: CEILING_ROWS },
    /** Directory for CPU profiles of producer and workers, for chrome://inspect. */
    profiles: { type: 'string' },
  },
});
const nodeOptions = values.profiles === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${values.profiles}`];

const benchmarks: Record<string, (dir: string) => Promise<void>> = {
  ceiling: async (dir) => {
    const short = await fleetCorpus(dir, 'short', Number(values.rows));
    const mixed = await fleetCorpus(dir, 'mixed', Number(values.rows) / MIXED_SHARE);
    const same = { guard: GUARD, workers: 1, nodeOptions };
    const target = '>= 10,000 rows/s';
    await benchCeiling(dir, { ...same, corpus: short, retain: 'flagged', target });
    await benchCeiling(dir, { ...same, corpus: short, retain: 'none', target });
    await benchCeiling(dir, { ...same, corpus: mixed, retain: 'flagged' });
  },
  memory: (dir) => benchQueueMemory(dir, GUARD),
  sizes: (dir) => benchTableSizes(dir, GUARD),
  partitions: (dir) => benchPartitions(dir),
  growth: async (dir) =>
    benchGrowth(dir, {
      corpus: await fleetCorpus(dir, 'mixed', GROWTH_ROWS),
      guard: GUARD,
      ...COSTS.small,
      counts: [1, 2, 4, 8],
      windowMs: 20_000,
    }),
  saturation: async (dir) =>
    benchGrowth(dir, {
      corpus: await fleetCorpus(dir, 'mixed', SATURATION_ROWS),
      guard: GUARD,
      ...COSTS.large,
      counts: [1, 2, 4, 8],
      windowMs: 6_000,
    }),
};

for (const name of positionals.length > 0 ? positionals : Object.keys(benchmarks)) {
  const run = benchmarks[name];
  if (run === undefined) {
    console.error(`There is no benchmark ${name}; there are ${Object.keys(benchmarks).join(', ')}.`);
    process.exitCode = 1;
    break;
  }
  const dir = await mkdtemp(join(tmpdir(), 'tocsin-fleet-'));
  await chmod(dir, 0o755);
  const before = loadOf();
  try {
    await run(dir);
    console.log(`  (load before ${before}, after ${loadOf()}, on ${cpus().length} processors)`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** Load average of the last minute: other load makes every figure worse. */
function loadOf(): string {
  return (loadavg()[0] ?? 0).toFixed(1);
}
