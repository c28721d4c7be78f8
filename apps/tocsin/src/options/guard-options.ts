import { isUserError } from '@tocsin/core';
import { DEVICE_NAMES, PRECISIONS, parseDevice } from '@tocsin/engine';
import type { ScheduledRequest } from '@tocsin/pipeline';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { wholeNumber } from './values.js';

/** The guard and its device: options of every command that scores. */
export interface GuardFlags {
  guard: string;
  backbone?: string;
  device?: string;
  precision?: string;
  threads?: number;
  cacheDir?: string;
}

/** @param required false when the command works without a guard */
export function addGuardOptions(command: Command, { required = true } = {}): Command {
  const guard = new Option(
    '-g, --guard <ref>',
    'guard: starter, owner/name[@revision] on the hub, or an artifact directory',
  );
  command
    .addOption(guard.makeOptionMandatory(required))
    .option('--backbone <path>', BACKBONE_HELP)
    .addOption(
      new Option(
        '--precision <precision>',
        'type of the weights (default: float32 on a CPU, bfloat16 on cuda)',
      ).choices([...PRECISIONS]),
    );
  return addMachineOptions(command);
}

export const BACKBONE_HELP =
  'backbone: a checkpoint directory, a .gguf file or owner/name[@revision] (default: the one the artifact names)';

/** The device and its numerics. */
export function addMachineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--device <device>', `device that scores: ${DEVICE_NAMES}`)
        .argParser(device)
        .default('auto'),
    )
    .option('--threads <n>', 'threads of a forward pass (default: one per core)', wholeNumber)
    .option('--cache-dir <dir>', 'directory of models (TOCSIN_CACHE)');
}

/** The same flags, for a child process. */
export function guardArguments(flags: GuardFlags): string[] {
  const named: [string, string | number | undefined][] = [
    ['--guard', flags.guard],
    ['--backbone', flags.backbone],
    ['--device', flags.device],
    ['--precision', flags.precision],
    ['--threads', flags.threads],
    ['--cache-dir', flags.cacheDir],
  ];
  return named.flatMap(([name, value]) => (value === undefined ? [] : [name, String(value)]));
}

/** The guard and its device, as stored with a schedule. */
export function guardSource({
  guard: ref,
  backbone,
  device,
  precision,
  threads,
  cacheDir,
}: GuardFlags): ScheduledRequest['guard'] {
  return {
    ref,
    backbone,
    device,
    precision,
    threads,
    cacheDir,
  };
}

function device(text: string): string {
  try {
    parseDevice(text);
    return text;
  } catch (error) {
    if (!isUserError(error)) throw error;
    throw new InvalidArgumentError(`Expected one of ${DEVICE_NAMES}.`);
  }
}
