import { UserError } from '@tocsin/core';
import {
  float32OfBfloat16,
  float32OfBytes,
  float32OfFloat16,
  HEADER_LENGTH_BYTES,
  parseSafetensorsHeader,
  safetensorsHeaderLength,
  type TensorInfo,
} from './safetensors.js';

/** A file's name (for messages) and its content. */
export interface NamedBytes {
  file: string;
  bytes: Uint8Array;
}

/** The tensors of a head by name. @throws UserError for a broken file */
export function headTensors(weights: NamedBytes): Map<string, TensorInfo> {
  const { file, bytes } = weights;
  const length = safetensorsHeaderLength(file, bytes.subarray(0, HEADER_LENGTH_BYTES), bytes.byteLength);
  const header = bytes.subarray(HEADER_LENGTH_BYTES, HEADER_LENGTH_BYTES + length);
  return parseSafetensorsHeader(file, header, bytes.byteLength);
}

/**
 * The values of a tensor, which is removed from `tensors`, so that unexpected tensors remain.
 * @param shapes the allowed shapes
 * @param field  the field of siren_config.json that determines the shape
 */
export function takeTensor(
  weights: NamedBytes,
  tensors: Map<string, TensorInfo>,
  name: string,
  shapes: readonly number[][],
  field: string,
): Float32Array {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new UserError(
      `${weights.file}: tensor ${name} is missing (it has ${[...tensors.keys()].join(', ') || 'none left'})`,
    );
  }
  tensors.delete(name);
  if (!shapes.some((shape) => shape.join() === tensor.shape.join())) {
    const expected = shapes.map((shape) => `[${shape}]`).join(' or ');
    throw new UserError(
      `${weights.file}: tensor ${name} has shape [${tensor.shape}], ${field} in siren_config.json makes it ${expected}`,
    );
  }
  const values = toFloat32(
    weights.file,
    tensor,
    weights.bytes.subarray(tensor.offset, tensor.offset + tensor.byteLength),
  );
  if (!values.every(Number.isFinite))
    throw new UserError(`${weights.file}: tensor ${name} contains values that are not finite numbers`);
  return values;
}

function toFloat32(file: string, tensor: TensorInfo, bytes: Uint8Array): Float32Array {
  switch (tensor.dtype) {
    case 'F32':
      return float32OfBytes(bytes);
    case 'F16':
      return float32OfFloat16(bytes);
    case 'BF16':
      return float32OfBfloat16(bytes);
    default:
      throw new UserError(
        `${file}: tensor ${tensor.name} has dtype ${tensor.dtype}, expected F32, F16 or BF16`,
      );
  }
}
