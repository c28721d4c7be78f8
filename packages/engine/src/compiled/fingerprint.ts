import { createHash, type Hash } from 'node:crypto';
import { mkdir, readFile, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { type DeviceKind, type Numerics, QUANTIZATION_VERSION } from '@tocsin/backbone';
import { codeOf } from '@tocsin/core';
import { sha256OfFile } from '@tocsin/models';
import type { Artifact, ContentArtifact, TrajectoryArtifact } from '@tocsin/siren';
import { writeWhole } from './write-whole.js';

/** Increase whenever our change could change a score: text preparation, graph, content hash. */
const NUMBERS_VERSION = 2;

/**
 * Increase when our change could change the scores of one kind of device. WebGPU's scores were wrong before 2, because
 * of the kernel of its attention operator.
 */
const DEVICE_NUMBERS: Partial<Record<DeviceKind, number>> = { webgpu: 2 };

/**
 * A guard's fingerprint: a hash of exactly what can change a score. The default threshold, for example, is not part of
 * it.
 *
 * @param backboneDigests sha256 of the backbone's configuration, tokenizer and weights
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

/** Float32 on a CPU came first and keeps its plain name. */
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

const MEMO_FILE = 'file-digests.json';

/** Digests by file identity: real path, inode, size and modification time. */
type Memo = Record<string, string>;

/**
 * sha256 of each file, in hex. Checkpoints are large and rarely change, so digests are cached while a file's inode, size
 * and modification time stay the same.
 */
export async function digestFiles(files: string[], cacheDir: string): Promise<string[]> {
  const memoFile = join(cacheDir, MEMO_FILE);
  const memo = await readMemo(memoFile);
  const digests: string[] = [];
  let changed = false;
  for (const file of files) {
    const key = await identityOf(file);
    let digest = memo[key];
    if (digest === undefined) {
      digest = await sha256OfFile(file);
      memo[key] = digest;
      changed = true;
    }
    digests.push(digest);
  }
  if (changed) {
    await mkdir(dirname(memoFile), { recursive: true });
    await writeWhole(memoFile, JSON.stringify(memo));
  }
  return digests;
}

async function identityOf(file: string): Promise<string> {
  const path = await realpath(file);
  const { ino, size, mtimeNs } = await stat(path, { bigint: true });
  return [path, ino, size, mtimeNs].join('|');
}

async function readMemo(file: string): Promise<Memo> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Memo;
  } catch (error) {
    // Missing or truncated: computed again from the files.
    if (codeOf(error) === 'ENOENT' || error instanceof SyntaxError) return {};
    throw error;
  }
}
