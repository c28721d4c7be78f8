import { UserError } from '@tocsin/core';
import { headTensors, type NamedBytes, takeTensor } from './head-tensors.js';
import { readArtifact } from './read-artifact.js';
import { HEADER_LENGTH_BYTES } from './safetensors.js';

/** logit' = slope * logit + offset, where logit is that of P(harmful). */
export interface LogitScaling {
  slope: number;
  offset: number;
}

/**
 * An artifact whose logits are scaled: slope and offset are folded into the last linear layer (content) or the readout
 * (trajectory). The tensors that change are written as float32, all others byte for byte; so is every field of the
 * configuration but `inference.default_threshold` and, if given, `base_model.model_id`.
 *
 * @returns the two files
 * @throws UserError when the artifact is invalid, or a scaled value is beyond float32
 */
export function foldCalibration(
  { config, weights }: { config: NamedBytes; weights: NamedBytes },
  scaling: LogitScaling,
  { threshold, modelId }: { threshold: number; modelId?: string },
): { config: Uint8Array; weights: Uint8Array } {
  const { task } = readArtifact(config, weights);
  const json = JSON.parse(new TextDecoder().decode(config.bytes));
  json.inference.default_threshold = threshold;
  if (modelId !== undefined) json.base_model.model_id = modelId;
  const scaled = task === 'content' ? scaledLastLayer(weights, scaling) : scaledReadout(weights, scaling);
  for (const [name, values] of scaled) {
    if (!values.every(Number.isFinite)) {
      throw new UserError(`${weights.file}: tensor ${name} times ${scaling.slope} is beyond float32`);
    }
  }
  return {
    config: new TextEncoder().encode(`${JSON.stringify(json, null, 2)}\n`),
    weights: withTensors(weights, scaled),
  };
}

/** Softmax of two logits is the sigmoid of their difference, so the offset goes to the second alone. */
function scaledLastLayer(weights: NamedBytes, { slope, offset }: LogitScaling): Map<string, Float32Array> {
  const names = [...headTensors(weights).keys()];
  const last = Math.max(...names.map((name) => Number(/^network\.(\d+)\./.exec(name)?.[1] ?? 0)));
  const [weight, bias] = [`network.${last}.weight`, `network.${last}.bias`];
  return new Map([
    [weight, valuesOf(weights, weight).map((value) => slope * value)],
    [bias, valuesOf(weights, bias).map((value, logit) => slope * value + (logit === 1 ? offset : 0))],
  ]);
}

function scaledReadout(weights: NamedBytes, { slope, offset }: LogitScaling): Map<string, Float32Array> {
  return new Map([
    ['head.weight', valuesOf(weights, 'head.weight').map((value) => slope * value)],
    ['head.bias', valuesOf(weights, 'head.bias').map((value) => slope * value + offset)],
  ]);
}

function valuesOf(weights: NamedBytes, name: string): Float32Array {
  const tensors = headTensors(weights);
  return takeTensor(weights, tensors, name, [tensors.get(name)?.shape ?? []], name);
}

/** Header sizes are padded to this many bytes, as the format's own library does. */
const ALIGNMENT = 8;

/** A safetensors file with some tensors replaced. */
function withTensors(weights: NamedBytes, replaced: ReadonlyMap<string, Float32Array>): Uint8Array {
  const header: Record<string, unknown> = {};
  const metadata = metadataOf(weights);
  if (metadata !== undefined) header.__metadata__ = metadata;
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { name, dtype, shape, offset, byteLength } of headTensors(weights).values()) {
    const values = replaced.get(name);
    const bytes =
      values === undefined
        ? weights.bytes.subarray(offset, offset + byteLength)
        : new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const begin = end;
    end += bytes.byteLength;
    header[name] = { dtype: values === undefined ? dtype : 'F32', shape, data_offsets: [begin, end] };
    parts.push(bytes);
  }
  const json = Buffer.from(JSON.stringify(header));
  const padding = Buffer.alloc((ALIGNMENT - (json.byteLength % ALIGNMENT)) % ALIGNMENT, ' ');
  const length = Buffer.alloc(HEADER_LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(json.byteLength + padding.byteLength));
  return Buffer.concat([length, json, padding, ...parts]);
}

function metadataOf({ bytes }: NamedBytes): unknown {
  const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
  const header = bytes.subarray(HEADER_LENGTH_BYTES, HEADER_LENGTH_BYTES + length);
  return JSON.parse(new TextDecoder().decode(header)).__metadata__;
}
