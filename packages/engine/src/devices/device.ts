import { DEVICE_KINDS, type DeviceKind } from '@tocsin/backbone';
import { UserError } from '@tocsin/core';

/** What runs forward passes. */
export interface Device {
  kind: DeviceKind;
  /** Of several alike, from 0. */
  index: number;
}

export const CPU: Device = { kind: 'cpu', index: 0 };
/** As help texts name what may be asked for. */
export const DEVICE_NAMES = 'auto, cpu, cuda[:n], webgpu';

/**
 * A device out of what a user wrote.
 * @returns 'auto' where the best device there is was asked for
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

/** A device as `parseDevice` takes it. */
export function deviceName({ kind, index }: Device): string {
  return kind === 'cuda' ? `cuda:${index}` : kind;
}
