import { UserError } from '@tocsin/core';
import { ApiError, notFound } from '../http/api-error.js';
import { ServedGuard, type ServedGuardOptions } from './served-guard.js';

/** The guards of a server; the first is the one that is meant when none is named. */
export class ServedGuards {
  readonly all: readonly ServedGuard[];
  readonly default: ServedGuard;

  private constructor(all: readonly ServedGuard[], first: ServedGuard) {
    this.all = all;
    this.default = first;
  }

  /** @throws UserError when there is none, or two have one name */
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

  /** @throws ApiError for one that is not served */
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
