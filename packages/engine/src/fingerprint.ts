import { createHash } from 'node:crypto';
import type { Artifact } from '@tocsin/siren';

/** What a score is computed in. */
export type Precision = 'float32';

/** Raised whenever a change of ours could change a score: text preparation, graph, content hash. */
const NUMBERS_VERSION = 1;

/**
 * A guard's fingerprint: a hash of exactly what can change a score, and of nothing else. The default threshold, for
 * one, is not in it: it decides what a score means, not what it is.
 *
 * @param backboneDigests sha256 of each of the backbone's files that score: configuration, tokenizer, weights
 * @returns 64 hex digits
 */
export function fingerprintOf(artifact: Artifact, backboneDigests: string[], precision: Precision): string {
  const hash = createHash('sha256');
  const { task, pooling, maxLength } = artifact;
  hash.update(JSON.stringify({ NUMBERS_VERSION, task, pooling, maxLength, precision, backboneDigests }));
  for (const { index, weight, neurons } of artifact.layers) {
    hash.update(JSON.stringify({ index, weight, neurons: [...neurons] }));
  }
  for (const { inputs, outputs, weight, bias } of artifact.head) {
    hash.update(JSON.stringify({ inputs, outputs }));
    hash.update(bytesOf(weight));
    hash.update(bytesOf(bias));
  }
  return hash.digest('hex');
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
