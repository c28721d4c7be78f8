import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { UserError } from '@tocsin/core';
import type { Environment } from '../cache/cache-directory.js';
import { findPip, lastLines } from './find-pip.js';
import { runCommand } from './run-command.js';

const SHOWN_ERROR_LINES = 4;

export interface PipDownloadOptions {
  env: Environment;
  signal?: AbortSignal | undefined;
  /** Which of a version's wheels, when it is not to depend on the Python that runs pip. */
  wheelOf?: { python: string; abi: string; platform: string } | undefined;
}

/**
 * Fetch one wheel with the machine's own pip, which knows the machine's index, proxy and certificates. Nothing is
 * installed, nothing of the wheel is run.
 *
 * @param requirement exact, as `name==1.2.3`
 * @param directory   empty, exists; pip's temporary files go there too, so that one place needs the room
 * @returns the wheel's path in `directory`
 * @throws UserError when there is no pip, or with pip's own last error lines (credentials hidden) when it failed
 */
export async function pipDownload(
  requirement: string,
  directory: string,
  options: PipDownloadOptions,
): Promise<string> {
  const pip = await findPip(options.env, options.signal);
  const shown = [pip.command, ...pip.args].join(' ');
  const env = {
    ...options.env,
    TMPDIR: directory,
    TEMP: directory,
    TMP: directory,
    NO_COLOR: '1',
    PYTHONIOENCODING: 'utf-8',
    // A user's rule against installing outside of a virtual environment; nothing is installed here.
    PIP_REQUIRE_VIRTUALENV: '0',
  };
  const args = ['download', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
  args.push('--no-deps', '--only-binary=:all:', '--dest', directory, requirement);
  if (options.wheelOf !== undefined) {
    const { python, abi, platform } = options.wheelOf;
    args.push('--implementation', 'cp', '--python-version', python, '--abi', abi, '--platform', platform);
  }
  const result = await runCommand(pip.command, [...pip.args, ...args], { env, signal: options.signal });
  if (result.exitCode !== 0) {
    throw new UserError(
      `${shown} could not download ${requirement}: ${lastLines(result, SHOWN_ERROR_LINES)}`,
    );
  }
  const wheels = (await readdir(directory)).filter((name) => name.endsWith('.whl'));
  const [wheel] = wheels;
  if (wheel === undefined || wheels.length > 1) {
    throw new UserError(
      `${shown} ended well, but left ${wheels.length} wheels instead of one for ${requirement}`,
    );
  }
  return join(directory, wheel);
}
