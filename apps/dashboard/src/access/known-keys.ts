import { createHash } from 'node:crypto';
import { checkKey, type KeyRow, type Pool } from '@tocsin/store';

/** So long a key that was found good is not looked up again: one that is revoked elsewhere still works for as long. */
const TRUSTED_MS = 1_000;
const MAX_KEYS = 1_000;

/** Keys that requests show. Whoever asks many times a second is looked up once. */
export class KnownKeys {
  readonly #pool: Pool;
  readonly #known = new Map<string, { row: KeyRow; until: number }>();

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  /** @returns undefined for a key that is unknown, expired or revoked */
  async check(key: string): Promise<KeyRow | undefined> {
    // The key itself is kept nowhere.
    const name = createHash('sha256').update(key).digest('base64');
    const known = this.#known.get(name);
    if (known !== undefined && known.until > performance.now()) return known.row;
    const row = await checkKey(this.#pool, key);
    this.#known.delete(name);
    if (row === undefined) return undefined;
    if (this.#known.size >= MAX_KEYS) this.#known.clear();
    this.#known.set(name, { row, until: performance.now() + TRUSTED_MS });
    return row;
  }

  /** After a change of keys: all of them are looked up again. */
  forget(): void {
    this.#known.clear();
  }
}
