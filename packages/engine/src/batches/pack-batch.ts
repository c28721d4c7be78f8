import type { Task } from '@tocsin/siren';

/** A batch as the graph takes it: see BATCH_INPUTS of @tocsin/backbone for what each is. */
export interface PackedBatch {
  rows: number;
  tokens: number;
  longest: number;
  tokenIds: BigInt64Array;
  padIndex: BigInt64Array;
  unpadIndex: BigInt64Array;
  lastPosition: Int32Array;
  pooling: Float32Array;
}

/**
 * Lays out a batch for the graph.
 * @param task     a content guard reads the mean of a row's tokens, a trajectory guard the last one
 * @param tokenIds the rows' token ids, one row after another
 * @param lengths  tokens of each row, at least 1
 */
export function packBatch(task: Task, tokenIds: Int32Array, lengths: Int32Array): PackedBatch {
  const tokens = tokenIds.length;
  const rows = lengths.length;
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const batch: PackedBatch = {
    rows,
    tokens,
    longest,
    tokenIds: BigInt64Array.from(tokenIds, BigInt),
    // Places that no token goes to hold token 0: attention is causal and never looks at what comes after a row.
    padIndex: new BigInt64Array(rows * longest),
    unpadIndex: new BigInt64Array(tokens),
    lastPosition: lengths.map((length) => length - 1),
    pooling: new Float32Array(rows * tokens),
  };
  let token = 0;
  for (const [row, length] of lengths.entries()) {
    if (length < 1) throw new RangeError(`row ${row} has no tokens`);
    const ofRow = batch.pooling.subarray(row * tokens + token, row * tokens + token + length);
    if (task === 'content') ofRow.fill(1 / length);
    else ofRow[length - 1] = 1;
    for (let position = 0; position < length; position++, token++) {
      const place = row * longest + position;
      batch.padIndex[place] = BigInt(token);
      batch.unpadIndex[token] = BigInt(place);
    }
  }
  if (token !== tokens) throw new RangeError(`lengths add up to ${token} tokens, ${tokens} were given`);
  return batch;
}
