import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@tocsin/core';
import { childrenOf, until, untilGone } from '../setup/processes.js';
import { randomFrom } from '../setup/random-words.js';
import type { Commits } from './commits.js';
import type { SupervisedWorker } from './kept-worker.js';
import { timeToLease } from './leases.js';
import type { Producer } from './producer.js';
import type { Stage } from './stage.js';

/** The faults. Kills use SIGKILL; stopped processes continue with SIGCONT. */
export const FAULTS = [
  'worker killed',
  'engine process killed',
  'Redis killed',
  'Postgres killed',
  'producer killed',
  'connections to Redis cut',
  'connections to Postgres cut',
  'worker stopped',
  'engine process stopped',
  'Redis stopped',
  'Postgres stopped',
  'Redis flushed',
  'Postgres restarted',
  'disk full',
] as const;
export type Fault = (typeof FAULTS)[number];

/** Those that this process can cause: filling a disk needs a small one, and so root. */
export const POSSIBLE_FAULTS: readonly Fault[] = FAULTS.filter(
  (fault) => fault !== 'disk full' || process.getuid?.() === 0,
);

/** Longest time that a server is down, or disconnected. */
const LONGEST_OUTAGE_MS = 2_500;
/** Longest time that a process is stopped (SIGSTOP): longer than its leases. */
const LONGEST_STOP_MS = 9_000;
/** How long a fault waits for work in progress that it could affect. */
const AIM_MS = 15_000;

/** An injected fault. */
export interface Strike {
  fault: Fault;
  /** By the clock of `performance`. */
  at: number;
  /** Whether parcels were pending: only then does the next commit show recovery. */
  underLoad: boolean;
  /** For a worker: until the last of its parcels was leased again. */
  leaseMs?: number;
}

export interface FaultTargets {
  stage: Stage;
  workers: readonly SupervisedWorker[];
  producer: Producer;
  commits: Commits;
}

/** An endless order of faults in which each kind occurs once per round. */
export function* faultOrder(kinds: readonly Fault[], random: (limit: number) => number): Generator<Fault> {
  for (;;) {
    const round = [...kinds];
    while (round.length > 0) yield* round.splice(random(round.length), 1);
  }
}

/** Injects faults in an order and at times that follow from a seed. */
export class Injector {
  readonly strikes: Strike[] = [];
  readonly #targets: FaultTargets;
  readonly #random: (limit: number) => number;
  /** Parcels that are being watched until another worker leases them. */
  readonly #watched: Promise<void>[] = [];

  constructor(targets: FaultTargets, seed: number) {
    this.#targets = targets;
    this.#random = randomFrom(seed);
  }

  /**
   * Injects faults until it is stopped.
   * @param pauseMs the shortest and the longest pause between two faults
   */
  async run(
    kinds: readonly Fault[],
    pauseMs: [number, number],
    enough: (strikes: number) => boolean,
  ): Promise<void> {
    for (const fault of faultOrder(kinds, this.#random)) {
      if (enough(this.strikes.length)) break;
      await sleep(pauseMs[0] + this.#random(pauseMs[1] - pauseMs[0] + 1));
      await this.#strike(fault);
    }
    await Promise.all(this.#watched);
  }

  async #strike(fault: Fault): Promise<void> {
    const { stage } = this.#targets;
    const { lines, postgres, redis } = stage;
    await this.#aim(fault);
    switch (fault) {
      case 'worker killed':
        return this.#killWorker();
      case 'engine process killed':
        return this.#killEngine();
      case 'producer killed':
        return this.#killProducer();
      case 'Redis killed':
        await this.#outage(
          fault,
          () => redis.kill(),
          () => redis.startAgain(),
        );
        return;
      case 'Postgres killed':
        await this.#outage(
          fault,
          () => process.kill(postgres.pid, 'SIGKILL'),
          () => postgres.ensureRunning(),
        );
        return;
      case 'connections to Redis cut':
        await this.#outage(
          fault,
          () => lines.redis.cut(),
          () => lines.redis.mend(),
        );
        return;
      case 'connections to Postgres cut':
        await this.#outage(
          fault,
          () => lines.postgres.cut(),
          () => lines.postgres.mend(),
        );
        return;
      case 'worker stopped':
        return this.#pause(fault, () => {
          const ready = this.#targets.workers.filter((worker) => worker.ready);
          return [ready[this.#random(ready.length)]?.pid ?? []].flat();
        });
      case 'engine process stopped':
        return this.#pause(fault, () => {
          const pids = this.#targets.workers.flatMap(({ enginePid }) => enginePid ?? []);
          return [pids[this.#random(pids.length)] ?? []].flat();
        });
      case 'Redis stopped':
        return this.#pause(fault, () => [redis.pid], LONGEST_OUTAGE_MS);
      case 'Postgres stopped':
        return this.#pause(
          fault,
          () => [postgres.pid, ...childrenOf(postgres.pid).map(({ pid }) => pid)],
          LONGEST_OUTAGE_MS,
        );
      case 'Redis flushed': {
        const client = redis.client();
        await client.flushall();
        client.disconnect();
        this.#struck(fault);
        return;
      }
      case 'Postgres restarted': {
        const { pid } = postgres;
        await this.#outage(
          fault,
          // Like an administrator's fast shutdown: sessions end, and their transactions are rolled back.
          () => process.kill(pid, 'SIGINT'),
          async () => {
            await untilGone([pid]);
            await postgres.ensureRunning();
          },
        );
        return;
      }
      case 'disk full':
        await this.#outage(
          fault,
          () => stage.disk?.fill(),
          async () => {
            await stage.disk?.free();
            // Without space for its WAL the server ends.
            await postgres.ensureRunning();
          },
        );
        return;
      default:
        throw new Error(`no such fault: ${fault satisfies never}`);
    }
  }

  /** Waits for work in progress and a running worker: the others may still be recovering. */
  async #aim(fault: Fault): Promise<void> {
    const { commits, producer, workers } = this.#targets;
    const ready = (): boolean =>
      fault === 'producer killed'
        ? producer.pid !== undefined
        : commits.waiting > 0 && workers.some(({ ready }) => ready);
    for (const end = performance.now() + AIM_MS; !ready() && performance.now() < end; ) await sleep(5);
  }

  #struck(fault: Fault): Strike {
    const strike = { fault, at: performance.now(), underLoad: this.#targets.commits.waiting > 0 };
    this.strikes.push(strike);
    return strike;
  }

  #killWorker(): void {
    const { stage, workers } = this.#targets;
    const ready = workers.filter((worker) => worker.ready);
    const worker = ready[this.#random(ready.length)];
    if (worker === undefined) return;
    const leased = timeToLease(stage.redis, () => worker.kill());
    const strike = this.#struck('worker killed');
    this.#watched.push(
      leased.then((leaseMs) => {
        strike.leaseMs = leaseMs;
      }),
    );
  }

  #killEngine(): void {
    const pids = this.#targets.workers.flatMap(({ enginePid }) => enginePid ?? []);
    const pid = pids[this.#random(pids.length)];
    if (pid === undefined) return;
    // The poison may have killed it first.
    if (!signalIfAlive(pid, 'SIGKILL')) return;
    this.#struck('engine process killed');
  }

  async #killProducer(): Promise<void> {
    await sleep(this.#random(LONGEST_OUTAGE_MS));
    const { producer } = this.#targets;
    // By now another submit may run; killing one at its start is a fault too.
    await until(() => (producer.pid !== undefined || producer.done ? true : undefined));
    if (producer.pid === undefined) return;
    producer.kill();
    this.#struck('producer killed');
  }

  /** Stops processes together for a while; one that ends meanwhile is skipped. */
  async #pause(fault: Fault, choose: () => number[], longestMs = LONGEST_STOP_MS): Promise<void> {
    const pids = choose();
    if (pids.length === 0) return;
    for (const pid of pids) signalIfAlive(pid, 'SIGSTOP');
    this.#struck(fault);
    await sleep(this.#random(longestMs));
    for (const pid of pids) signalIfAlive(pid, 'SIGCONT');
  }

  async #outage(fault: Fault, begin: () => unknown, end: () => unknown): Promise<void> {
    await begin();
    this.#struck(fault);
    await sleep(this.#random(LONGEST_OUTAGE_MS));
    await end();
  }
}

/** @returns false when it has ended */
function signalIfAlive(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return false;
    throw error;
  }
}
