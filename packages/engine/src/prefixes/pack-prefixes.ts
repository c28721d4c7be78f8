import type { Task } from '@tocsin/siren';

/** New tokens of a row, and how many stand before them. */
export interface NewTokens {
  tokenIds: Int32Array;
  past: number;
}

/** A pass as the prefix graph takes it: see PREFIX_INPUTS of @tocsin/backbone for what each is. */
export interface PackedPrefixes {
  rows: number;
  tokens: number;
  longest: number;
  /** Past and new tokens of the row that has most. */
  keys: number;
  tokenIds: BigInt64Array;
  positions: BigInt64Array;
  padIndex: BigInt64Array;
  unpadIndex: BigInt64Array;
  keyIndex: BigInt64Array;
  mask: Uint8Array;
  pooling: Float32Array;
  pastShare: Float32Array;
}

/** Lays out a pass for the graph. @param rows each with at least one new token */
export function packPrefixes(task: Task, rows: readonly NewTokens[]): PackedPrefixes {
  const tokens = sum(rows.map(({ tokenIds }) => tokenIds.length));
  const pastTokens = sum(rows.map(({ past }) => past));
  const longest = Math.max(...rows.map(({ tokenIds }) => tokenIds.length));
  const keys = Math.max(...rows.map(({ tokenIds, past }) => past + tokenIds.length));
  const pooled = task === 'content';
  const packed: PackedPrefixes = {
    rows: rows.length,
    tokens,
    longest,
    keys,
    tokenIds: new BigInt64Array(tokens),
    positions: new BigInt64Array(tokens),
    // Places and keys that belong to no token hold index 0: the mask keeps every real place from looking at them.
    padIndex: new BigInt64Array(rows.length * longest),
    unpadIndex: new BigInt64Array(tokens),
    keyIndex: new BigInt64Array(rows.length * keys),
    mask: new Uint8Array(rows.length * longest * keys),
    pooling: new Float32Array(pooled ? tokens * tokens : 0),
    pastShare: new Float32Array(pooled ? tokens * rows.length : 0),
  };
  let firstToken = 0;
  let firstPast = 0;
  for (const [row, { tokenIds, past }] of rows.entries()) {
    const count = tokenIds.length;
    if (count < 1) throw new RangeError(`row ${row} has no new tokens`);
    for (let key = 0; key < past + count; key++) {
      const index = key < past ? firstPast + key : pastTokens + firstToken + key - past;
      packed.keyIndex[row * keys + key] = BigInt(index);
    }
    for (let i = 0; i < longest; i++) {
      // A place without a token looks at one key all the same: a softmax over none is no number.
      const visible = i < count ? past + i + 1 : 1;
      const first = (row * longest + i) * keys;
      packed.mask.fill(1, first, first + visible);
    }
    for (let i = 0; i < count; i++) {
      const token = firstToken + i;
      const place = row * longest + i;
      const share = 1 / (past + i + 1);
      packed.tokenIds[token] = BigInt(tokenIds[i] ?? 0);
      packed.positions[token] = BigInt(past + i);
      packed.padIndex[place] = BigInt(token);
      packed.unpadIndex[token] = BigInt(place);
      if (!pooled) continue;
      packed.pooling.fill(share, token * tokens + firstToken, token * tokens + token + 1);
      packed.pastShare[token * rows.length + row] = share;
    }
    firstToken += count;
    firstPast += past;
  }
  return packed;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
