import { findSources } from '@tocsin/corpus';
import type { Submit } from '@tocsin/dashboard';
import type { Stack } from '../stack.js';
import { submitRun } from '../submit/submit-run.js';

/** Does for the API what `tocsin submit` does. */
export function submitFor(stack: Stack): Submit {
  return async ({ guard, name, sources, reading, threshold, retain, onRun, signal, ...submission }) => {
    const corpus = { name, reading, ...(await findSources(sources, reading)) };
    await submitRun({
      stack,
      guard,
      corpus,
      flags: {
        ...(threshold === undefined ? {} : { threshold }),
        ...(retain === undefined ? {} : { retain }),
      },
      ...submission,
      interrupted: signal,
      onRun: async (runId) => onRun(runId),
    });
  };
}
