import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseSafetensorsHeader, safetensorsHeaderLength } from '../artifact/safetensors.js';
import { goldenArtifact } from './golden.js';

/** A temporary directory, removed after the file's tests. @param parent defaults to the system's */
export function tempDir(parent: string = tmpdir()): string {
  const dir = mkdtempSync(join(parent, 'tocsin-test-'));
  afterAll(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A tensor of a test's safetensors file. */
export interface TensorSpec {
  name: string;
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

/** A whole safetensors file: header, then the tensors' bytes one after another. */
export function writeSafetensors(tensors: TensorSpec[]): Buffer {
  let end = 0;
  const entries = tensors.map(({ name, dtype, shape, bytes }) => {
    const begin = end;
    end += bytes.byteLength;
    return [name, { dtype, shape, data_offsets: [begin, end] }];
  });
  return withHeader(
    JSON.stringify(Object.fromEntries(entries)),
    Buffer.concat(tensors.map(({ bytes }) => bytes)),
  );
}

/** A safetensors file with an arbitrary header and claimed header length. */
export function withHeader(
  header: string | Uint8Array,
  data: Uint8Array = new Uint8Array(),
  length?: bigint,
): Buffer {
  const bytes = Buffer.from(header);
  const first8 = Buffer.alloc(8);
  first8.writeBigUInt64LE(length ?? BigInt(bytes.length));
  return Buffer.concat([first8, bytes, data]);
}

/** A float32 tensor. */
export function float32Tensor(name: string, shape: number[], values: ArrayLike<number>): TensorSpec {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(Float32Array.from(values).buffer) };
}

/** Every tensor of a safetensors file, to be changed and written again. */
export function readTensors(bytes: Uint8Array): TensorSpec[] {
  const length = safetensorsHeaderLength('', bytes, bytes.byteLength);
  const infos = parseSafetensorsHeader('', bytes.subarray(8, 8 + length), bytes.byteLength);
  return [...infos.values()].map(({ name, dtype, shape, offset, byteLength }) => ({
    name,
    dtype,
    shape,
    bytes: bytes.subarray(offset, offset + byteLength),
  }));
}

/** The artifact that tests modify: it has dropout on one layer of its head and a non-default threshold. */
export const GOOD = goldenArtifact('llama31-ropescaled');

/** Its `siren_config.json` with fields set; undefined removes a field. @param changes by path, e.g. `mlp.input_dim` */
export function configWith(changes: Record<string, unknown>): Uint8Array {
  const config = goodConfig();
  for (const [path, value] of Object.entries(changes)) {
    const parts = path.split('.');
    const last = parts.pop() ?? '';
    const parent = parts.reduce((object, part) => Reflect.get(object, part), config);
    Reflect.set(parent, last, value);
  }
  return new TextEncoder().encode(JSON.stringify(config));
}

/** The path of every field of its config, without the many neurons. */
export function fieldPaths(value: object = goodConfig(), path = ''): string[] {
  return Object.entries(value).flatMap(([key, child]) => {
    const here = path === '' ? key : `${path}.${key}`;
    const below = typeof child === 'object' && child !== null && !key.endsWith('_mean');
    return below ? [here, ...fieldPaths(child, here)] : [here];
  });
}

function goodConfig(): object {
  return JSON.parse(new TextDecoder().decode(GOOD.config.bytes)) as object;
}

/** Every tensor of its `siren.safetensors`. */
export const goodTensors = (): TensorSpec[] => readTensors(GOOD.weights.bytes);

/** Its `siren.safetensors` with parts of a tensor changed, or (undefined) without it. */
export function weightsWith(name: string, change: Partial<TensorSpec> | undefined): Uint8Array {
  const others = goodTensors().filter((tensor) => tensor.name !== name);
  const changed = goodTensors().filter((tensor) => tensor.name === name && change !== undefined);
  return writeSafetensors([...others, ...changed.map((tensor) => ({ ...tensor, ...change }))]);
}
