import { expect, inject, test } from 'vitest';
import { scratchDir } from '../setup/provided.js';
import { chaos, reportText } from './chaos.js';
import { POSSIBLE_FAULTS } from './faults.js';

/** CHAOS_SEED=7 selects other rows and another order of faults. */
const SEED = Number(process.env.CHAOS_SEED ?? 1);
const ROWS = 1200;
const FILES = 6;
const POISONED = 2;
const SECOND = 1000;
/** A full disk makes the running submit fail, and takes more time than a test has: `npm run chaos` fills it. */
const KINDS = POSSIBLE_FAULTS.filter((fault) => fault !== 'disk full');

test(`whatever happens to a fleet, every row has its one score (CHAOS_SEED=${SEED})`, async () => {
  const redis = inject('redis');
  if ('missing' in redis) throw new Error(redis.missing);
  const report = await chaos({
    dir: scratchDir(),
    redis: redis.program,
    seed: SEED,
    rows: ROWS,
    longest: 30,
    files: FILES,
    poisoned: POISONED,
    kinds: KINDS,
    durationMs: 30 * SECOND,
    pauseMs: [SECOND / 2, 2 * SECOND],
    log: (line) => console.log(performance.now(), line),
  });
  console.log(reportText(report));
  expect(new Set(report.strikes.map(({ fault }) => fault))).toEqual(new Set(KINDS));
  expect(report.findings).toEqual({
    rows: ROWS,
    rejected: expect.any(Number),
    poisoned: POISONED,
    lost: 0,
    doubled: 0,
    different: [],
    claims: 0,
    parcelsLeft: 0,
  });
  // Processes that were not killed ended only because a server was down when they started.
  for (const words of report.lastOutput)
    expect(words).toMatch(/^tocsin: (Postgres|Redis) at .* does not answer/);
  // Every content was scored by a pass that the witnesses recorded.
  expect(report.passes.scored).toBeGreaterThan(ROWS / 2);
  expect(report.findings.rejected).toBeGreaterThan(0);
});
