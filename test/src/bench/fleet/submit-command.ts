import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { FleetStage } from './stage.js';

const TOCSIN = fileURLToPath(new URL('../../../../apps/tocsin/dist/main.js', import.meta.url));

/** `tocsin submit`, as a process of its own. */
export interface SubmitCommand {
  child: ChildProcess;
  /** The run that it has made, when it has ended. */
  run: Promise<number>;
}

/** @param nodeOptions of its process, e.g. to profile it */
export function submitCommand(
  { databaseUrl, backend }: FleetStage,
  args: readonly string[],
  nodeOptions: readonly string[] = [],
): SubmitCommand {
  const child = spawn(process.execPath, [...nodeOptions, TOCSIN, 'submit', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, DATABASE_URL: databaseUrl, REDIS_URL: backend.url },
  });
  let out = '';
  let errors = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const run = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(Number(out));
      else reject(new Error(`tocsin submit ended with ${code}: ${errors}`));
    });
  });
  return { child, run };
}
