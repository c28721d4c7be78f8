import type { Task } from '@tocsin/siren';

/** Maximum new tokens per pass: attention in a prefix graph needs memory for each pair of token and key. */
const PASS_TOKENS = 1024;

/** A piece of a row's new tokens: `count` from `from` on (both of the whole row). */
export interface Piece {
  row: number;
  from: number;
  count: number;
}

/**
 * Cuts rows' new tokens into passes. A row longer than a pass takes several, in order; its keys and values carry over, so
 * each token is computed once. Rows of similar length share a pass.
 *
 * @param rows start and end of each row's new tokens
 */
export function planPasses(
  rows: readonly { from: number; to: number }[],
  passTokens = PASS_TOKENS,
): Piece[][] {
  const order = rows.map((_, row) => row).sort((a, b) => lengthOf(rows[a]) - lengthOf(rows[b]));
  const passes: Piece[][] = [];
  let pass: Piece[] = [];
  let room = passTokens;
  for (const row of order) {
    const { from = 0, to = 0 } = rows[row] ?? {};
    for (let at = from; at < to; ) {
      // Two pieces of one row cannot share a pass, and half a row in a pass saves nothing: start a new one.
      if (pass.length > 0 && (to - at > room || pass.at(-1)?.row === row)) {
        passes.push(pass);
        pass = [];
        room = passTokens;
      }
      const count = Math.min(to - at, room);
      pass.push({ row, from: at, count });
      room -= count;
      at += count;
    }
  }
  if (pass.length > 0) passes.push(pass);
  return passes;
}

const lengthOf = (row: { from: number; to: number } | undefined): number =>
  row === undefined ? 0 : row.to - row.from;

/** New tokens of a row, and the number of past ones. */
export interface NewTokens {
  tokenIds: Int32Array;
  past: number;
}

/** The inputs of a prefix graph; see PREFIX_INPUTS of @tocsin/backbone. */
export interface PackedPrefixes {
  rows: number;
  tokens: number;
  longest: number;
  /** Maximum of past and new tokens of a row. */
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
    // Padding holds index 0, and the mask hides it.
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
      // A padding place attends to one key too, since a softmax over none is NaN.
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
