import { UserError } from '@tocsin/core';
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
import { ApiError, notFound } from '../http/api-error.js';
import { PrefixGate } from '../scoring/prefix-gate.js';

/** The guards of a server; the first is the default. */
export class ServedGuards {
  readonly all: readonly ServedGuard[];
  readonly default: ServedGuard;

  private constructor(all: readonly ServedGuard[], first: ServedGuard) {
    this.all = all;
    this.default = first;
  }

  /** @throws UserError when there is none, or two have the same name */
  static async open(offers: readonly ServedGuardOptions[]): Promise<ServedGuards> {
    const names = offers.map(({ guard }) => guard.ref);
    const twice = names.find((name, i) => names.indexOf(name) !== i);
    if (twice !== undefined)
      throw new UserError(`the guard ${twice} is named twice`, { hint: 'Name it once.' });
    const opened: ServedGuard[] = [];
    try {
      for (const offer of offers) opened.push(await ServedGuard.open(offer));
      const [first] = opened;
      if (first === undefined)
        throw new UserError('no guard is named', { hint: 'Name one: --guard starter' });
      return new ServedGuards(opened, first);
    } catch (error) {
      await Promise.all(opened.map((guard) => guard.close()));
      throw error;
    }
  }

  get names(): string[] {
    return this.all.map(({ name }) => name);
  }

  /** @throws ApiError for a guard that is not served */
  named(name: string | undefined): ServedGuard {
    if (name === undefined) return this.default;
    const found = this.all.find((guard) => guard.name === name);
    if (found !== undefined) return found;
    throw new ApiError(404, 'the guard is not served here', {
      field: 'guard',
      hint: `Served are: ${this.names.join(', ')}. Others are named when the server is started, with --guard.`,
    });
  }

  /**
   * The guard that a run was scored with.
   * @throws ApiError when it is not served
   */
  ofFingerprint(fingerprint: string): ServedGuard {
    const found = this.all.find(({ open }) => open.fingerprint === fingerprint);
    if (found === undefined)
      throw notFound('guard of this run here', 'Start the server with it, too: --guard');
    return found;
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((guard) => guard.close()));
  }
}

/** Options of a served guard. */
export interface GuardOffer {
  guard: OpenGuard;
  /** Options of the engine process for traces and streams. */
  cacheDir?: string;
  threads?: number;
  /** How other processes open the guard; stored with schedules. Defaults to its name. */
  source?: ScheduledRequest['guard'];
}

export interface ServedGuardOptions extends GuardOffer, Pick<ExpressScorerOptions, 'onAnswer'> {
  pool: Pool;
  backend: QueueBackend;
  /** Bounds pending interactive requests of all guards. */
  admission: Admission;
  /** Called for recoverable errors. */
  onError: (error: Error) => void;
}

/**
 * A served guard. Scores come from the workers, so no model is loaded here for them. Traces and streams use a separate engine
 * process, which starts with the first request and needs memory for a model.
 */
export class ServedGuard {
  readonly #offer: GuardOffer;
  readonly registered: RegisteredGuard;
  readonly scorer: ExpressScorer;
  /** Admission of traces and stream pushes. */
  readonly prefixGate: PrefixGate;
  /** When the guard was registered in the database. */
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
    const { pool, backend, guard, admission, onError, onAnswer = () => {} } = options;
    const registered = await registerOpenGuard(pool, guard);
    const row = (await listGuards(pool)).find(({ id }) => id === registered.id);
    if (row === undefined) throw new Error(`guard ${registered.id} is gone`);
    const scorer = await ExpressScorer.open({
      pool,
      backend,
      guard,
      registered,
      admission,
      onError,
      onAnswer,
    });
    return new ServedGuard(options, registered, scorer, row.createdAt, admission);
  }

  /** How other processes open the guard. */
  get source(): ScheduledRequest['guard'] {
    return this.#offer.source ?? { ref: this.name };
  }

  get open(): OpenGuard {
    return this.#offer.guard;
  }

  /** The name in requests: the one it was configured with. */
  get name(): string {
    return this.open.ref;
  }

  /** The guard's own threshold: scores from it on are harmful. */
  get threshold(): number {
    return this.open.artifact.defaultThreshold;
  }

  /** The guard with an engine process for prefix scores. A failed start is retried by the next request. */
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
    // A failed start leaves nothing to close, and its caller got the error.
    const guard = await this.#prefixes?.catch(() => undefined);
    await guard?.close();
  }
}
