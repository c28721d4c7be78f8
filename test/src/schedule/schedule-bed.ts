import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Writable } from 'node:stream';
import type { Pool } from '@tocsin/postgres';
import { prepareBackend, type QueueBackend } from '@tocsin/queue';
import { Scheduler, type SchedulerOptions } from '@tocsin/scheduler';
import {
  addSchedule,
  type DeliveryRow,
  type FiringRow,
  fireNow,
  listDeliveries,
  listFirings,
  type ScheduleRow,
} from '@tocsin/store';
import { TestDatabase } from '@tocsin/store/testing';
import { Telemetry } from '@tocsin/telemetry';
import { pino } from 'pino';
import { Webhook } from 'standardwebhooks';
import { until } from '../setup/processes.js';
import { FakeGuard } from './paper-guard.js';

/** Never due during a test. */
const YEARLY = { cron: '0 0 1 1 *', timeZone: 'UTC' };
export const SECOND = 1000;

/** Schedulers in this process on a real database, a fake guard, and a webhook receiver. */
export class ScheduleBed {
  readonly pool: Pool;
  readonly guard: FakeGuard;
  readonly receiver: HookReceiver;
  backend: QueueBackend;
  /** Metrics events of the schedulers. */
  readonly told: string[] = [];
  /** The schedulers' log. */
  log = '';
  readonly #database: TestDatabase;
  readonly #schedulers: Scheduler[] = [];
  readonly #telemetry: Telemetry;

  private constructor(database: TestDatabase, receiver: HookReceiver, telemetry: Telemetry) {
    this.#telemetry = telemetry;
    this.#database = database;
    this.pool = database.pool;
    this.guard = new FakeGuard(database.pool);
    this.receiver = receiver;
    this.backend = { kind: 'postgres', url: database.url };
  }

  static async open(): Promise<ScheduleBed> {
    const telemetry = await Telemetry.start({ role: 'scheduler', version: '0.0.0' });
    const bed = new ScheduleBed(await TestDatabase.migrated(), await HookReceiver.start(), telemetry);
    await prepareBackend(bed.backend);
    return bed;
  }

  async startScheduler(changes: Partial<SchedulerOptions> = {}): Promise<Scheduler> {
    const lines = new Writable({
      write: (chunk, _encoding, done) => {
        this.log += String(chunk);
        done();
      },
    });
    const scheduler = await Scheduler.start({
      pool: this.pool,
      backend: this.backend,
      telemetry: this.#telemetry,
      submit: this.guard.submit,
      log: pino(lines),
      allowPrivate: true,
      env: { HOOK_SECRET: SECRET },
      lookEveryMs: 50,
      waitAfter: () => 0,
      measures: {
        onFiring: (outcome) => this.told.push(`firing ${outcome}`),
        onLag: (seconds) => this.told.push(`late by ${seconds < 60 ? 'seconds' : 'hours'}`),
        onDelivery: (outcome) => this.told.push(`message ${outcome}`),
      },
      ...changes,
    });
    this.#schedulers.push(scheduler);
    return scheduler;
  }

  newSchedule(name = 'nightly', nextAt = new Date(Date.now() + 3600 * SECOND)): Promise<ScheduleRow> {
    return addSchedule(this.pool, {
      ...YEARLY,
      name,
      request: { corpus: ['paper.jsonl'] },
      webhook: { url: this.receiver.url, secretEnv: 'HOOK_SECRET' },
      nextAt,
    });
  }

  /** Makes a schedule due, and works until that firing has ended. */
  async fire(schedule: ScheduleRow): Promise<FiringRow> {
    const { id } = await fireNow(this.pool, schedule.name);
    return this.over(schedule, id);
  }

  over(schedule: ScheduleRow, firingId: number): Promise<FiringRow> {
    return until(async () => {
      await this.guard.work();
      const found = (await this.firings(schedule)).find((firing) => firing.id === firingId);
      return found?.finishedAt === null ? undefined : found;
    });
  }

  firings(schedule: ScheduleRow): Promise<FiringRow[]> {
    return listFirings(this.pool, schedule.id, 100);
  }

  /** Waits until the newest delivery is in a state. */
  delivery(schedule: ScheduleRow, state = 'delivered'): Promise<DeliveryRow> {
    return until(async () => {
      const [newest] = await listDeliveries(this.pool, schedule.id, 1);
      return newest?.state === state ? newest : undefined;
    });
  }

  async closeSchedulers(): Promise<void> {
    this.guard.gate?.abort();
    await Promise.all(this.#schedulers.splice(0).map((scheduler) => scheduler.close()));
  }

  async close(): Promise<void> {
    await this.closeSchedulers();
    await this.receiver.close();
    await this.#telemetry.close();
    await this.#database.close();
  }
}

/** A valid secret. */
export const SECRET = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;

export interface ReceivedHook {
  id: string;
  headers: Record<string, string>;
  body: string;
}

/** A real server that receives webhooks on a loopback address. */
export class HookReceiver {
  readonly url: string;
  /** Verified messages; `answers` has the response to each. */
  readonly received: ReceivedHook[] = [];
  /** Statuses of the next responses; 204 after the last. `hang` never responds. */
  answers: (number | 'hang')[] = [];
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/hidden-path`;
  }

  static async start(): Promise<HookReceiver> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const receiver = new HookReceiver(server);
    server.on('request', (request, response) => {
      const parts: Buffer[] = [];
      request.on('data', (part: Buffer) => parts.push(part));
      request.on('end', () => {
        const headers = request.headers as Record<string, string>;
        receiver.received.push({
          id: headers['webhook-id'] ?? '',
          headers,
          body: Buffer.concat(parts).toString(),
        });
        const answer = receiver.answers.shift() ?? 204;
        if (answer !== 'hang') response.writeHead(answer).end();
      });
    });
    return receiver;
  }

  /** The n-th message, with a verified signature. */
  verified(n: number): { type: string; timestamp: string; data: Record<string, unknown> } {
    const hook = this.received[n];
    if (hook === undefined) throw new Error(`only ${this.received.length} messages have arrived`);
    return new Webhook(SECRET).verify(hook.body, hook.headers) as ReturnType<HookReceiver['verified']>;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
