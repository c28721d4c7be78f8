import { createHash, type Hash } from 'node:crypto';
import { type DeviceKind, type Numerics, QUANTIZATION_VERSION } from '@tocsin/backbone';
import type { Artifact, ContentArtifact, TrajectoryArtifact } from '@tocsin/siren';

/** Raised whenever a change of ours could change a score: text preparation, graph, content hash. */
const NUMBERS_VERSION = 1;

/**
 * Raised when a change of ours could change the scores of one kind of device alone. WebGPU's were wrong before 2: its
 * graph had an attention operator whose kernel is.
 */
const DEVICE_NUMBERS: Partial<Record<DeviceKind, number>> = { webgpu: 2 };

/**
 * A guard's fingerprint: a hash of exactly what can change a score, and of nothing else. The default threshold, for
 * one, is not in it: it decides what a score means, not what it is.
 *
 * @param backboneDigests sha256 of each of the backbone's files that score: configuration, tokenizer, weights
 * @returns 64 hex digits
 */
export function fingerprintOf(artifact: Artifact, backboneDigests: string[], numerics: Numerics): string {
  const precision = precisionIn(numerics);
  const hash = createHash('sha256');
  const { task, maxLength } = artifact;
  const pooling = task === 'content' ? artifact.pooling : undefined;
  hash.update(JSON.stringify({ NUMBERS_VERSION, task, pooling, maxLength, precision, backboneDigests }));
  if (task === 'content') addHead(hash, artifact);
  else addReadout(hash, artifact);
  return hash.digest('hex');
}

/** Float32 on a CPU is what all scores were before there was anything else: it goes by its name alone. */
function precisionIn(numerics: Numerics): string | object {
  const { weights, arithmetic, device } = numerics;
  if (weights === 'float32' && device === 'cpu') return weights;
  const quantization = weights === 'int8' || weights === 'int4' ? QUANTIZATION_VERSION : undefined;
  return { weights, arithmetic, device, quantization, version: DEVICE_NUMBERS[device] };
}

function addHead(hash: Hash, { layers, head }: ContentArtifact): void {
  for (const { index, weight, neurons } of layers) {
    hash.update(JSON.stringify({ index, weight, neurons: [...neurons] }));
  }
  for (const { inputs, outputs, weight, bias } of head) {
    hash.update(JSON.stringify({ inputs, outputs }));
    hash.update(bytesOf(weight));
    hash.update(bytesOf(bias));
  }
}

function addReadout(hash: Hash, { blocks, readout }: TrajectoryArtifact): void {
  hash.update(JSON.stringify({ blocks }));
  hash.update(bytesOf(readout.weight));
  hash.update(bytesOf(Float32Array.of(readout.bias)));
}

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
