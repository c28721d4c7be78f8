import { openGuard } from '@tocsin/engine';
import type { SubmitScheduled } from '@tocsin/scheduler';
import type { Logger } from 'pino';
import { openCorpus } from '../options/corpus-options.js';
import type { Stack } from '../services/stack.js';
import { submitRun } from '../submit/submit-run.js';
import { readRequest } from './request.js';

/** Does for a schedule what `tocsin submit` does, and tells a log instead of a person. */
export function submitScheduled(stack: Stack, log: Logger): SubmitScheduled {
  return async (request, { onRun, signal }) => {
    const { corpus: files, flags } = readRequest(request);
    const onNotice = (notice: string): void => log.warn(notice);
    const corpus = await openCorpus(files, flags, onNotice);
    const guard = await openGuard(flags.guard, {
      ...flags,
      signal,
      onEvent: ({ message }) => log.info(message),
    });
    await submitRun({ stack, guard, corpus, flags, interrupted: signal, onRun, onNotice });
  };
}
