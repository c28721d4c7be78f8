import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { abortable } from '@tocsin/core';
import { withRetry } from '@tocsin/postgres';
import { until } from '../setup/processes.js';
import { readScores, type ScoreLine } from '../setup/tocsin.js';
import { Commits } from './commits.js';
import { type CorporaOptions, type Corpus, writeCorpora } from './corpora.js';
import { FAULTS, type Fault, type FaultTargets, Injector, POSSIBLE_FAULTS, type Strike } from './faults.js';
import { SupervisedWorker } from './kept-worker.js';
import { Producer } from './producer.js';
import { Stage, type StagePlace } from './stage.js';
import { type Findings, type Passes, readPasses, verify } from './verify.js';

const WORKERS = 3;

interface ChaosOptions extends StagePlace, CorporaOptions {
  /** Duration: rows are submitted and faults injected throughout. */
  durationMs: number;
  /** The shortest and the longest pause between two faults. */
  pauseMs: [number, number];
  /** Default: all. */
  kinds?: readonly Fault[];
  /** Aborts it. */
  signal?: AbortSignal;
  /** Called with events. */
  log: (line: string) => void;
}

/** The result. */
interface ChaosReport {
  seed: number;
  strikes: (Strike & { recoveryMs: number | undefined })[];
  findings: Findings;
  passes: Passes;
  /** Last output of processes that ended by themselves too early. */
  lastOutput: string[];
  seconds: number;
}

/**
 * Three workers and a producer under faults that follow from the seed; then a check of all rows. Everything it started has
 * ended when it returns.
 * @throws when a worker does not drain; the signal's reason
 */
export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { dir, signal = new AbortController().signal } = options;
  const corpusDir = join(dir, 'corpora');
  await mkdir(corpusDir);
  const corpora = await writeCorpora(corpusDir, options);
  const stage = await Stage.set(options);
  const commits = new Commits(stage.pool);
  const workers = Array.from({ length: WORKERS }, () => new SupervisedWorker(() => stage.worker()));
  const fleet = { stage, commits, workers, producer: new Producer(stage) };
  try {
    return await abortable(harm(fleet, corpora, options), signal);
  } finally {
    fleet.producer.end();
    await commits.close();
    await Promise.all(workers.map((worker) => worker.end()));
    await stage.close();
  }
}

async function harm(
  fleet: FaultTargets,
  corpora: readonly Corpus[],
  options: ChaosOptions,
): Promise<ChaosReport> {
  const { stage, workers, producer, commits } = fleet;
  const { dir, seed, log } = options;
  const undisturbed = await scoreUndisturbed(stage, corpora, join(dir, 'undisturbed.jsonl'));
  log(`${options.rows} rows in ${options.files} files, scored undisturbed`);
  await untilReady(workers);
  const started = performance.now();
  const injector = new Injector(fleet, seed);
  await strikeWhileSubmitting(options, corpora, producer, injector);
  log(`${injector.strikes.length} faults, ${producer.runs.length} runs; waiting for the last scores`);
  await untilSettled(stage, producer.runs);
  const seconds = (performance.now() - started) / 1000;
  await drain(workers);
  return {
    seed,
    strikes: injector.strikes.map((strike) => ({
      ...strike,
      recoveryMs: strike.underLoad ? commits.after(strike.at) : undefined,
    })),
    findings: await verify(stage.pool, corpora, producer.runs, undisturbed),
    passes: await readPasses(stage.witnessDir, await contentsOf(stage)),
    lastOutput: [...workers, producer].flatMap(({ lastOutput }) => lastOutput),
    seconds,
  };
}

async function untilReady(workers: readonly SupervisedWorker[]): Promise<void> {
  await until(() => (workers.every(({ ready }) => ready) ? true : undefined));
}

async function drain(workers: readonly SupervisedWorker[]): Promise<void> {
  // One may still be in progress.
  await untilReady(workers);
  for (const { exitCode, stderr } of await Promise.all(workers.map((worker) => worker.stop()))) {
    if (exitCode !== 0) throw new Error(`a worker did not drain, exit code ${exitCode}:\n${stderr}`);
  }
}

async function scoreUndisturbed(stage: Stage, corpora: readonly Corpus[], out: string): Promise<ScoreLine[]> {
  const { exitCode, stderr } = await stage.score(
    corpora.map(({ file }) => file),
    out,
  );
  // Some rows are unreadable on purpose.
  if (exitCode !== 2) throw new Error(`the undisturbed run ended with exit code ${exitCode}: ${stderr}`);
  return readScores(out);
}

async function strikeWhileSubmitting(
  { kinds = POSSIBLE_FAULTS, durationMs, pauseMs, files }: ChaosOptions,
  corpora: readonly Corpus[],
  producer: Producer,
  injector: Injector,
): Promise<void> {
  const end = performance.now() + durationMs;
  const enough = (strikes: number): boolean => performance.now() >= end && strikes >= kinds.length;
  const isProducerSpared = (): boolean =>
    kinds.includes('producer killed') && !injector.strikes.some(({ fault }) => fault === 'producer killed');
  const submit = async (): Promise<void> => {
    await producer.submitAll(corpora, durationMs / files);
    for (const last of corpora.slice(-1)) await producer.repeat(last, isProducerSpared);
  };
  await Promise.all([submit(), injector.run(kinds, pauseMs, enough)]);
}

/** Waits until the runs are done, and no parcel is pending without need. */
async function untilSettled({ pool }: Stage, runs: readonly number[]): Promise<void> {
  await until(async () => {
    const { rows } = await withRetry(() =>
      pool.query<{ left: number }>(
        `select (select count(*) from runs where id = any($1::bigint[]) and state <> 'done')
              + (select count(*) from parcels where state = 'waiting') as left`,
        [runs],
      ),
    );
    return rows[0]?.left === 0 ? true : undefined;
  });
}

/** Hashes of all contents, in hex. */
async function contentsOf({ pool }: Stage): Promise<Set<string>> {
  const { rows } = await pool.query<{ content: string }>(
    `select encode(content, 'hex') as content from scores`,
  );
  return new Set(rows.map(({ content }) => content));
}

/** The report as text, one fact per line. */
export function reportText(report: ChaosReport): string {
  const { seed, strikes, findings, passes, lastOutput, seconds } = report;
  const faults = FAULTS.map((fault) => ({
    fault,
    of: strikes.filter((strike) => strike.fault === fault),
  })).filter(({ of }) => of.length > 0);
  const share = (part: number, whole: number): string =>
    `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
  return [
    `seed ${seed}, ${seconds.toFixed(0)} s`,
    `faults injected: ${strikes.length}`,
    ...faults.map(
      ({ fault, of }) =>
        `  ${fault}: ${of.length}; to the next committed score ${times(of.map(({ recoveryMs }) => recoveryMs))}`,
    ),
    `rows: ${findings.rows}, of them rejected ${findings.rejected}, killing the engine process ${findings.poisoned}`,
    `lost: ${findings.lost}`,
    `doubled: ${findings.doubled}`,
    `other than undisturbed: ${findings.different.length}`,
    `claims left: ${findings.claims}, parcels left: ${findings.parcelsLeft}`,
    `forward passes: ${passes.passes}, re-run ${passes.rerun} (${share(passes.rerun, passes.passes)}); contents scored again ${passes.scoredAgain} of ${passes.scored} (${share(passes.scoredAgain, passes.scored)})`,
    `time to recover (fault to the next committed score): ${times(strikes.map(({ recoveryMs }) => recoveryMs))}`,
    `killed worker to the last of its parcels leased anew: ${times(strikes.map(({ leaseMs }) => leaseMs))}`,
    `processes that ended by themselves and were started again: ${lastOutput.length}`,
    ...[...tally(lastOutput)].map(([words, count]) => `  ${count} x ${words}`),
    ...findings.different.slice(0, 10).map((line) => `  ${line}`),
  ].join('\n');
}

/** Seconds: median and maximum. */
function times(all: readonly (number | undefined)[]): string {
  const sorted = all.filter((ms) => ms !== undefined).sort((a, b) => a - b);
  const middle = sorted[Math.floor((sorted.length - 1) / 2)];
  const longest = sorted.at(-1);
  if (middle === undefined || longest === undefined) return 'not seen';
  const text = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
  return `p50 ${text(middle)}, max ${text(longest)} (of ${sorted.length})`;
}

function tally(words: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
