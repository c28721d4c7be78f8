import type { Submit } from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import type { Telemetry } from '@tocsin/telemetry';
import type { FastifyBaseLogger } from 'fastify';
import type { Credentials } from './access/credentials.js';
import type { LiveAnswers } from './access/live-answers.js';
import type { WrongKeys } from './access/wrong-keys.js';
import type { ServedGuards } from './guards/served-guards.js';
import type { Limits } from './limits.js';
import type { RunFeeds } from './runs/run-feed.js';
import type { Submissions } from './runs/submissions.js';
import type { ScheduleRules } from './schedules/rules.js';
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
