import { resolve } from 'node:path';
import { DEFAULT_FIELDS } from '@tocsin/corpus';
import type { ScheduleRules } from '@tocsin/dashboard';
import type { GuardFlags } from '../options/guard-options.js';
import { readRequest, requestOf } from '../schedule/request.js';

/** How the requests of schedules are written and read: as `tocsin schedule` does. */
export function scheduleRequests(guards: readonly GuardFlags[]): Pick<ScheduleRules, 'write' | 'read'> {
  return {
    write: ({ corpus, guard, threshold, retain, roots }) =>
      requestOf(corpus, {
        // The guard as this server was told to load it: from another place, perhaps, or in another precision.
        ...guards.find((flags) => flags.guard === guard),
        guard,
        textField: DEFAULT_FIELDS.text,
        promptField: DEFAULT_FIELDS.prompt,
        responseField: DEFAULT_FIELDS.response,
        messagesField: DEFAULT_FIELDS.messages,
        toolsField: DEFAULT_FIELDS.tools,
        idField: DEFAULT_FIELDS.id,
        ...(roots && { corpusRoots: roots.map((root) => resolve(root)) }),
        ...(threshold === undefined ? {} : { threshold }),
        ...(retain === undefined ? {} : { retain }),
      }),
    read: (request) => {
      const { corpus, flags } = readRequest(request);
      const { guard, threshold, retain } = flags;
      return { corpus, guard, threshold, retain };
    },
  };
}
