import { DEVICE_KINDS, type DeviceKind } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';

/** A device that runs forward passes. */
export interface Device {
  kind: DeviceKind;
  /** Index among devices of the same kind, from 0. */
  index: number;
}

export const CPU: Device = { kind: 'cpu', index: 0 };
/** The accepted names, for help texts. */
export const DEVICE_NAMES = 'auto, cpu, cuda[:n], webgpu';

/**
 * Parses a device name.
 * @returns 'auto' for the best device
 * @throws UserError for anything but DEVICE_NAMES
 */
export function parseDevice(text: string): Device | 'auto' {
  if (text === 'auto') return 'auto';
  const [, name = '', index] = /^([a-z]+)(?::(0|[1-9]\d{0,2}))?$/.exec(text) ?? [];
  const kind = DEVICE_KINDS.find((known) => known === name);
  if (kind === undefined || (index !== undefined && kind !== 'cuda')) {
    throw new UserError(`device ${JSON.stringify(text)} is not supported; supported are ${DEVICE_NAMES}`);
  }
  return { kind, index: Number(index ?? 0) };
}

/** The name of a device, as accepted by `parseDevice`. */
export function deviceName({ kind, index }: Device): string {
  return kind === 'cuda' ? `cuda:${index}` : kind;
}
