import { type OpenGuard, type OpenGuardOptions, openGuard } from '@tocsin/engine';
import { type Destination, type Submission, submitRun } from '@tocsin/pipeline';
import { withRetry } from '@tocsin/postgres';
import { getRun, type ProblemReason, problemReasons, type Run } from '@tocsin/store';

/** Maximum reasons returned; the rest is counted in the run. */
const REASONS = 5;

export interface ProducerOptions extends Omit<Submission, 'guard'> {
  /** A reference as `openGuard` takes it. */
  guard: string;
  /** Guard options and download callbacks. */
  opening?: Omit<OpenGuardOptions, 'signal'>;
  /** Connects to the database and the queue, after the guard is open, so that guard errors come first. */
  withDestination: <T>(work: (destination: Destination) => Promise<T>) => Promise<T>;
  /** Called at the start of each step with a description. */
  onStep?: (step: string) => void;
}

/** A fully submitted run. */
export interface Produced {
  run: Run;
  /** Why rows have no score, the most frequent reasons first. */
  reasons: ProblemReason[];
}

/**
 * A whole producer: opens the guard (whose tokenizer splits the corpus into parcels), submits the corpus, and leaves its run to the workers.
 * @throws UserError for an unusable guard or corpus, or an unreachable server
 */
export async function runProducer(options: ProducerOptions): Promise<Produced> {
  const { guard: ref, opening, withDestination, onStep, ...submission } = options;
  onStep?.('Opening the guard ...');
  const guard: OpenGuard = await openGuard(ref, { ...opening, signal: submission.signal });
  onStep?.('Connecting to the database ...');
  return withDestination(async (destination) => {
    onStep?.('Reading the corpus ...');
    const { pool } = destination;
    const runId = await submitRun(destination, { ...submission, guard });
    const run = await withRetry(() => getRun(pool, runId));
    const isWhole = run.rejected + run.failed === 0;
    return { run, reasons: isWhole ? [] : await withRetry(() => problemReasons(pool, runId, REASONS)) };
  });
}
