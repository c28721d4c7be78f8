import { Guard, type OpenGuard } from '@tocsin/engine';
import {
  type Admission,
  ExpressScorer,
  type ExpressScorerOptions,
  registerOpenGuard,
  type ScheduledRequest,
} from '@tocsin/pipeline';
import type { Pool } from '@tocsin/postgres';
import type { QueueBackend } from '@tocsin/queue';
import { listGuards, type RegisteredGuard } from '@tocsin/store';
import { PrefixGate } from '../scoring/prefix-gate.js';

/** A guard to be served. */
export interface GuardOffer {
  guard: OpenGuard;
  /** Of the process that gives traces and streams. */
  cacheDir?: string;
  threads?: number;
  /** How another process opens it: stored with schedules. By its name alone if not given. */
  source?: ScheduledRequest['guard'];
}

export interface ServedGuardOptions extends GuardOffer, Pick<ExpressScorerOptions, 'onAnswer'> {
  pool: Pool;
  backend: QueueBackend;
  /** Bounds what is pending of all guards. */
  admission: Admission;
  /** Told of what goes wrong and is mended by itself. */
  onTrouble: (error: Error) => void;
}

/**
 * A guard that can be asked. Scores come from the workers, so that no model is here for them; traces and streams from an
 * engine process of our own, which is started when the first one is asked for, and needs the memory of a model.
 */
export class ServedGuard {
  readonly #offer: GuardOffer;
  readonly registered: RegisteredGuard;
  readonly scorer: ExpressScorer;
  /** Traces and pushes to streams go through it. */
  readonly prefixGate: PrefixGate;
  /** When the database first heard of it. */
  readonly createdAt: Date;
  #prefixes: Promise<Guard> | undefined;

  private constructor(
    offer: GuardOffer,
    registered: RegisteredGuard,
    scorer: ExpressScorer,
    createdAt: Date,
    admission: Admission,
  ) {
    this.prefixGate = new PrefixGate(admission, offer.guard.artifact.maxLength);
    this.#offer = offer;
    this.registered = registered;
    this.scorer = scorer;
    this.createdAt = createdAt;
  }

  static async open(options: ServedGuardOptions): Promise<ServedGuard> {
    const { pool, backend, guard, admission, onTrouble, onAnswer = () => {} } = options;
    const registered = await registerOpenGuard(pool, guard);
    const row = (await listGuards(pool)).find(({ id }) => id === registered.id);
    if (row === undefined) throw new Error(`guard ${registered.id} is gone`);
    const scorer = await ExpressScorer.open({
      pool,
      backend,
      guard,
      registered,
      admission,
      onTrouble,
      onAnswer,
    });
    return new ServedGuard(options, registered, scorer, row.createdAt, admission);
  }

  /** How another process opens it. */
  get source(): ScheduledRequest['guard'] {
    return this.#offer.source ?? { ref: this.name };
  }

  get open(): OpenGuard {
    return this.#offer.guard;
  }

  /** As requests name it: as it was asked for. */
  get name(): string {
    return this.open.ref;
  }

  /** Its own: harmful from this score on. */
  get threshold(): number {
    return this.open.artifact.defaultThreshold;
  }

  /** The library's guard, with the engine process that scores prefixes. One that cannot be started is tried again. */
  prefixes(): Promise<Guard> {
    const { guard, backbone, device, precision } = this.open.pinned;
    const { cacheDir, threads } = this.#offer;
    this.#prefixes ??= Guard.fromPretrained(guard, {
      backbone,
      device,
      precision,
      cacheDir,
      threads,
      load: 'prefixes',
    }).catch((error: unknown) => {
      this.#prefixes = undefined;
      throw error;
    });
    return this.#prefixes;
  }

  async close(): Promise<void> {
    await this.scorer.close();
    // One that could not be started has nothing to be closed; who asked for it has the error.
    const guard = await this.#prefixes?.catch(() => undefined);
    await guard?.close();
  }
}
