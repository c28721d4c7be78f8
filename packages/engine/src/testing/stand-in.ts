import { fileURLToPath } from 'node:url';
import { Scorer, type ScorerOptions } from '../batches/scorer.js';
import type { OpenGuard } from '../compiled/open-guard.js';
import { type PrefixScorer, prefixScorerOf } from '../prefixes/prefix-scorer.js';
import type { StandIn } from './stand-in-main.js';

const MAIN = fileURLToPath(new URL('../../dist/testing/stand-in-main.js', import.meta.url));

/** Starts a scorer whose engine process has a fault. Runs on the CPU, whatever the guard's device. */
export async function startFaulty(
  guard: OpenGuard,
  fault: StandIn,
  options: ScorerOptions = {},
): Promise<Scorer> {
  // Engine processes inherit the environment when they start: this applies to the whole test file.
  process.env.STAND_IN = JSON.stringify(fault);
  return Scorer.start(guard, { ...options, engineMain: MAIN });
}

/** The same for prefixes. */
export function prefixesOfFaulty(guard: OpenGuard, fault: StandIn): PrefixScorer {
  process.env.STAND_IN = JSON.stringify(fault);
  return prefixScorerOf(guard, { engineMain: MAIN });
}
