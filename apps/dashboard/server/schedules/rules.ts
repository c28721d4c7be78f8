import type { Retention } from '@tocsin/store';

/** What a schedule submits. */
export interface ScheduledCorpus {
  corpus: readonly string[];
  guard: string;
  threshold?: number | undefined;
  retain?: Retention | undefined;
  /** Directories in which its files must lie whenever one is opened. */
  roots?: readonly string[] | undefined;
}

/** What schedules may be made of. */
export interface ScheduleRules {
  /** What is kept of it in the database, as `tocsin schedule add` keeps it. */
  write: (scheduled: ScheduledCorpus) => unknown;
  /** @throws UserError for what cannot be read */
  read: (request: unknown) => ScheduledCorpus;
  /** Corpora of schedules that are made through the API lie in these directories. With none, none can be made. */
  corpusRoots: readonly string[];
  /** Webhooks may be at http, and at addresses that are not public. */
  allowPrivateWebhooks: boolean;
}
