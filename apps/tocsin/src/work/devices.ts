import { isUserError } from '@tocsin/core';
import { DEVICE_NAMES, parseDevice } from '@tocsin/engine';
import { InvalidArgumentError } from 'commander';

/** `cuda:0,cuda:1`, for an option. A device that is named twice has two workers. */
export function devices(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  try {
    for (const name of names) parseDevice(name);
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new InvalidArgumentError(`Expected devices with commas between them, each of ${DEVICE_NAMES}.`);
  }
  return names;
}
