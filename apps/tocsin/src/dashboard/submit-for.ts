import { findSources } from '@tocsin/corpus';
import type { Submit } from '@tocsin/dashboard';
import type { Stack } from '../services/stack.js';
import { submitRun } from '../submit/submit-run.js';

/** Does for the API what `tocsin submit` does. */
export function submitFor(stack: Stack): Submit {
  return async (submission) => {
    const {
      guard,
      name,
      sources,
      reading,
      threshold,
      retain,
      ownerKey,
      stdin,
      keep,
      onRow,
      shownError,
      signal,
    } = submission;
    await submitRun({
      stack,
      guard,
      corpus: { name, reading, ...(await findSources(sources, reading)) },
      flags: {
        ...(threshold === undefined ? {} : { threshold }),
        ...(retain === undefined ? {} : { retain }),
      },
      ownerKey,
      interrupted: signal,
      onRun: async (runId) => submission.onRun(runId),
      ...(stdin && { stdin }),
      ...(keep && { keep }),
      ...(onRow && { onRow }),
      ...(shownError && { shownError }),
    });
  };
}
