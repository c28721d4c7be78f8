import { existsSync } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { cacheDirectory, findPip, runCommand, withScratchLock } from '@tocsin/models';

/** OpenAI's client for Python. */
const REQUIREMENT = 'openai==3.57.0';

/** A Python with OpenAI's client: its command and environment. */
export interface PythonClient {
  command: string;
  env: NodeJS.ProcessEnv;
}

/**
 * Installs the client with the machine's pip once, into a cached directory.
 * @throws UserError when there is no pip; Error with pip's output
 */
export async function pythonClient(env: NodeJS.ProcessEnv = process.env): Promise<PythonClient> {
  const pip = await findPip(env);
  // `python3 -m pip`, else a pip executable.
  const command = pip.args.length > 0 ? pip.command : 'python3';
  const { stdout: version } = await runCommand(
    command,
    ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'],
    { env },
  );
  const packages = join(cacheDirectory({ env }), 'test-python', version.trim(), REQUIREMENT);
  if (!existsSync(packages)) {
    await mkdir(dirname(packages), { recursive: true });
    await withScratchLock(`${packages}.lock`, async (scratch) => {
      if (existsSync(packages)) return;
      const target = join(scratch, 'packages');
      const args = ['install', '--no-input', '--disable-pip-version-check', '--progress-bar', 'off'];
      args.push('--only-binary=:all:', '--target', target, REQUIREMENT);
      // Overrides this machine's rules about installation directories.
      const own = { ...env, PIP_REQUIRE_VIRTUALENV: '0', PIP_USER: '0' };
      const result = await runCommand(pip.command, [...pip.args, ...args], { env: own });
      if (result.exitCode !== 0) throw new Error(`pip cannot install ${REQUIREMENT}:\n${result.stderr}`);
      await rename(target, packages);
    });
  }
  return { command, env: { ...env, PYTHONPATH: packages, PYTHONDONTWRITEBYTECODE: '1' } };
}
