import type { Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import type { Telemetry } from '@tocsin/telemetry';
import type { FastifyBaseLogger } from 'fastify';
import type { Credentials, WrongKeys } from './access/credentials.js';
import type { LiveAnswers } from './access/live-answers.js';
import type { ServedGuards } from './guards/served-guards.js';
import type { Limits } from './limits.js';
import type { RunFeeds } from './runs/run-feed.js';
import type { Submissions } from './runs/submissions.js';
import type { Streams } from './scoring/streams.js';

/** What routes work with. */
export interface Services {
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
  log: FastifyBaseLogger;
  version: string;
  limits: Limits;
  guards: ServedGuards;
  submit: Submit;
  submissions: Submissions;
  feeds: RunFeeds;
  streams: Streams;
  schedules: ScheduleRules;
  credentials: Credentials;
  /** Whether there is a key. */
  anyKey: () => Promise<boolean>;
  live: LiveAnswers;
  wrongKeys: WrongKeys;
}

/** What schedules may be made of. */
export interface ScheduleRules {
  /** Corpora of schedules that are made through the API lie in these directories. With none, none can be made. */
  corpusRoots: readonly string[];
  /** Webhooks may be at http, and at addresses that are not public. */
  allowPrivateWebhooks: boolean;
}
