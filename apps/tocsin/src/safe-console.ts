import { format } from 'node:util';
import { codeOf, messageOf } from '@tocsin/core';
import { EXIT } from './terminal/exit-codes.js';
import { printable } from './terminal/printable.js';

/**
 * Makes `console.log` and `console.error` show control characters as escapes instead of sending them to the terminal. Names
 * of runs and files, keys of rows and messages of servers come from elsewhere, and could move the cursor or retitle the
 * window. JSON keeps its meaning: the escape shown is JSON's own. Coloured text is written to `process.stdout` directly.
 */
export function showControlCharacters(): void {
  const { log, error } = console;
  console.log = (...parts: unknown[]) => log('%s', printable(format(...parts)));
  console.error = (...parts: unknown[]) => error('%s', printable(format(...parts)));
}

/**
 * Makes the exit code say when standard output took no more (a full disk, say): `console.log` ignores errors. A reader that
 * has seen enough (`tocsin runs | head`) is no failure.
 */
export function failWhenOutputIsLost(): void {
  let lost: unknown;
  process.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') lost ??= error;
  });
  process.on('exit', (code) => {
    // A command that has failed has said so itself.
    if (lost === undefined || (code !== EXIT.ok && code !== EXIT.someRejected)) return;
    console.error(`tocsin: stdout cannot be written: ${messageOf(lost)}.`);
    process.exitCode = EXIT.failed;
  });
}
