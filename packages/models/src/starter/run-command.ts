import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import type { Environment } from '../cache/cache-directory.js';

/** How much of each output is kept: its end, where the errors are. */
const KEPT_CHARACTERS = 64 * 1024;

/** What a command did. */
export interface CommandResult {
  /** undefined when a signal ended it */
  exitCode: number | undefined;
  signal: NodeJS.Signals | undefined;
  /** The end of its standard output, without colours. */
  stdout: string;
  /** The end of its standard error, without colours. */
  stderr: string;
}

/**
 * Run a command to its end, without a shell and without standard input.
 * @throws the system's error (`ENOENT`, `EACCES`, ...) when it cannot be started; the signal's reason when aborted,
 *   after the command has ended
 */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: { env: Environment; signal?: AbortSignal | undefined },
): Promise<CommandResult> {
  const { env, signal } = options;
  signal?.throwIfAborted();
  const child = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'], windowsHide: true });
  // SIGKILL, since nothing of what it was doing is kept.
  const kill = () => child.kill('SIGKILL');
  signal?.addEventListener('abort', kill, { once: true });
  const stdout = keepEnd(child.stdout);
  const stderr = keepEnd(child.stderr);
  try {
    const ended = await new Promise<{ code: number | null; by: NodeJS.Signals | null }>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, by) => resolve({ code, by }));
    });
    signal?.throwIfAborted();
    return {
      exitCode: ended.code ?? undefined,
      signal: ended.by ?? undefined,
      stdout: stripVTControlCharacters(stdout()),
      stderr: stripVTControlCharacters(stderr()),
    };
  } finally {
    signal?.removeEventListener('abort', kill);
  }
}

function keepEnd(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.setEncoding('utf8');
  stream.on('data', (chunk: string) => {
    text = (text + chunk).slice(-KEPT_CHARACTERS);
  });
  return () => text;
}
