import type { QueuedParcel } from '@tocsin/queue';
import type { AskedContent, AskedParcel } from './asked-content.js';

/** Which parcel brings which content: each question is answered without a look at the others. */
export class AskedParcels {
  readonly #byId = new Map<number, AskedParcel>();

  get(id: number): AskedParcel | undefined {
    return this.#byId.get(id);
  }

  /** The oldest, so many at most. */
  oldest(count: number): AskedParcel[] {
    const found: AskedParcel[] = [];
    for (const parcel of this.#byId.values()) {
      if (found.length === count) break;
      found.push(parcel);
    }
    return found;
  }

  /** Those that this process has submitted. */
  ours(): number[] {
    return [...this.#byId.values()].filter(({ ours }) => ours).map(({ id }) => id);
  }

  /** The content waits for this parcel from now on, and for no other. */
  join(asked: AskedContent, queued: QueuedParcel, ours: boolean): void {
    this.leave(asked);
    const known = this.#byId.get(queued.id);
    const parcel = known ?? { id: queued.id, ours, queued, contents: new Set() };
    if (known === undefined) this.#byId.set(parcel.id, parcel);
    parcel.contents.add(asked);
    asked.parcel = parcel;
  }

  /**
   * The content waits for no parcel any more.
   * @returns its parcel when no request waits for it any more
   */
  leave(asked: AskedContent): AskedParcel | undefined {
    const { parcel } = asked;
    if (parcel === undefined) return undefined;
    asked.parcel = undefined;
    parcel.contents.delete(asked);
    if (parcel.contents.size > 0) return undefined;
    this.#byId.delete(parcel.id);
    return parcel;
  }

  clear(): void {
    this.#byId.clear();
  }
}
