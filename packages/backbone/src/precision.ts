import { UserError } from '@tocsin/core';

/** The precision of a guard's weights. */
export const PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** The kinds of device that a graph can be built for. */
export const DEVICE_KINDS = ['cpu', 'cuda', 'webgpu'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** The type of linear layers and attention. Norms, pooling and head are always float32. */
export type Arithmetic = 'float32' | 'float16' | 'bfloat16';

/** All numeric settings that can change a score: see `numericsOf`. */
export interface Numerics {
  weights: Precision;
  arithmetic: Arithmetic;
  device: DeviceKind;
}

/** The default numerics. */
export const FLOAT32_ON_CPU: Numerics = { weights: 'float32', arithmetic: 'float32', device: 'cpu' };

/** The default precision. docs/guards.md has the measurements. */
export const DEFAULT_PRECISION: Record<DeviceKind, Precision> = {
  cpu: 'float32',
  // The type of the released backbones; float16 lacks the range for their largest activations.
  cuda: 'bfloat16',
  webgpu: 'float32',
};

/**
 * What a precision means on a device.
 * A CPU computes in float32 (onnxruntime has no narrower kernels there): the precision only rounds the weights. `int8` also
 * rounds the inputs of linear layers, to 8 bits in blocks of 32. A GPU computes in the type of the weights; `int8` and
 * `int4` weights are dequantized on use.
 * @throws UserError for a precision that the device does not support
 */
export function numericsOf(precision: Precision, device: DeviceKind): Numerics {
  return { weights: precision, arithmetic: ARITHMETIC[device](precision), device };
}

const ARITHMETIC: Record<DeviceKind, (precision: Precision) => Arithmetic> = {
  cpu: () => 'float32',
  cuda: (precision) => {
    if (precision === 'float32') {
      throw new UserError('cuda does not compute in float32: its attention takes float16 and bfloat16 only', {
        hint: 'Use --precision bfloat16 (the default there) or float16, or --device cpu for float32.',
      });
    }
    return precision === 'float16' ? 'float16' : 'bfloat16';
  },
  webgpu: (precision) => {
    if (precision === 'bfloat16') {
      throw new UserError('webgpu has no bfloat16', {
        hint: 'Use --precision float32 (the default there), float16, int8 or int4.',
      });
    }
    return precision === 'float16' ? 'float16' : 'float32';
  },
};
