import { UserError } from '@tocsin/core';

/** What a guard's weights are held in. */
export const PRECISIONS = ['float32', 'float16', 'bfloat16', 'int8', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];

/** The kinds of device that a graph can be built for. */
export const DEVICE_KINDS = ['cpu', 'cuda', 'webgpu'] as const;
export type DeviceKind = (typeof DEVICE_KINDS)[number];

/** What linear layers and attention are computed in. Norms, pooling and head are float32 everywhere. */
export type Arithmetic = 'float32' | 'float16' | 'bfloat16';

/** Everything about numbers that can change a score: see `numericsOf`. */
export interface Numerics {
  weights: Precision;
  arithmetic: Arithmetic;
  device: DeviceKind;
}

/** What guards are built for, unless they are told. */
export const FLOAT32_ON_CPU: Numerics = { weights: 'float32', arithmetic: 'float32', device: 'cpu' };

/** The precision of a guard whose user did not choose one. What was measured is in docs/guards.md. */
export const DEFAULT_PRECISION: Record<DeviceKind, Precision> = {
  cpu: 'float32',
  // What the released backbones are stored in; float16 has not the range for their largest activations.
  cuda: 'bfloat16',
  webgpu: 'float32',
};

/**
 * What a precision means on a device.
 *
 * On a CPU all is computed in float32 (onnxruntime has no kernels there for less): a precision says what the weights
 * are rounded to. Only `int8` rounds what they are multiplied with too, to 8 bits in blocks of 32. A GPU computes in
 * what the weights are held in; `int8` and `int4` weights are taken back to the device's own arithmetic as they are used.
 *
 * @throws UserError for what a device does not do
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
