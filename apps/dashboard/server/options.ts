import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import type { Telemetry } from '@tocsin/telemetry';
import type { FastifyBaseLogger } from 'fastify';
import type { GuardOffer } from './guards/served-guard.js';
import type { Limits } from './limits.js';
import type { ScheduleRules } from './schedules/rules.js';

export interface DashboardOptions {
  /** Of a migrated database. */
  pool: Pool;
  backend: QueueBackend;
  telemetry: Telemetry;
  log: FastifyBaseLogger;
  version: string;
  /** Guards that can be asked; the first is meant when none is named. */
  guards: readonly GuardOffer[];
  schedules: ScheduleRules;
  /** Those that differ from `DEFAULT_LIMITS`. */
  limits?: Partial<Limits>;
  /** Addresses of proxies whose word for where a request comes from is taken: `X-Forwarded-For` and the like. */
  trustProxy?: string[];
  /** The directory of the built page; that of this package if not given. */
  page?: string;
}
