import { type OpenGuard, type OpenGuardOptions, openGuard } from '@tocsin/engine';
import { type Destination, type Submission, submitRun } from '@tocsin/pipeline';
import { withRetry } from '@tocsin/postgres';
import { getRun, type ProblemReason, problemReasons, type Run } from '@tocsin/store';

/** Reasons that are returned; the rest is counted in the run. */
const REASONS = 5;

export interface ProducerOptions extends Omit<Submission, 'guard'> {
  /** As `openGuard` takes it. */
  guard: string;
  /** Where the guard comes from and runs, and callbacks for its download. */
  opening?: Omit<OpenGuardOptions, 'signal'>;
  /** Opens the database and the queue, once the guard is open: a guard that cannot be used is said first. */
  withDestination: <T>(work: (destination: Destination) => Promise<T>) => Promise<T>;
  /** Called as each step begins, with a sentence for a person. */
  onStep?: (step: string) => void;
}

/** A run whose corpus is whole. */
export interface Produced {
  run: Run;
  /** Why rows have no score, the most frequent reasons first. */
  reasons: ProblemReason[];
}

/**
 * A whole producer: opens the guard (its tokenizer cuts the corpus), submits the corpus, and leaves its run to the workers.
 * @throws UserError for a guard or a corpus that cannot be used, and for a server that does not answer
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
