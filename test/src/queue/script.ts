import { type ChildProcess, spawn } from 'node:child_process';
import type { QueueBackend } from '@tocsin/queue';
import { ROOT } from '../setup/tocsin.js';

/** Another process that runs `script` with `backend` and `queue` (a name) given, and `ParcelWorker` at hand. */
export function spawnScript(script: string, backend: QueueBackend, queue: string): ChildProcess {
  const source = `
    import { ParcelWorker } from '@tocsin/queue';
    const [backend, queue] = JSON.parse(process.argv[1]);
    ${script}`;
  return spawn(process.execPath, ['--input-type=module', '-e', source, JSON.stringify([backend, queue])], {
    // Where the packages of the workspace are found.
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}
