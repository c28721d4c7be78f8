import type { ChaosReport } from './chaos.js';
import { FAULTS } from './faults.js';

/** The report as text, one fact per line. */
export function reportText(report: ChaosReport): string {
  const { seed, strikes, findings, passes, lastWords, seconds } = report;
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
    `processes that ended by themselves and were started again: ${lastWords.length}`,
    ...[...tally(lastWords)].map(([words, count]) => `  ${count} x ${words}`),
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
