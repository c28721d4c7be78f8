import { format } from 'node:util';
import { codeOf, messageOf } from '@tocsin/core';
import { EXIT } from './terminal/exit-codes.js';
import { printable } from './terminal/printable.js';

/**
 * Makes `console.log` and `console.error` print control characters as escapes. Names of runs and files, row keys and server
 * messages are untrusted, and could move the cursor or change the window title. JSON keeps its meaning, because the
 * escapes are JSON's own. Coloured text is written to `process.stdout` directly.
 */
export function showControlCharacters(): void {
  const { log, error } = console;
  console.log = (...parts: unknown[]) => log('%s', printable(format(...parts)));
  console.error = (...parts: unknown[]) => error('%s', printable(format(...parts)));
}

/**
 * Sets the exit code when writing to standard output fails (a full disk, say), which `console.log` ignores. A closed pipe
 * (`tocsin runs | head`) is no failure.
 */
export function failWhenOutputIsLost(): void {
  let lost: unknown;
  process.stdout.on('error', (error) => {
    if (codeOf(error) !== 'EPIPE') lost ??= error;
  });
  process.on('exit', (code) => {
    // A failed command has already set its exit code.
    if (lost === undefined || (code !== EXIT.ok && code !== EXIT.someRejected)) return;
    console.error(`tocsin: stdout cannot be written: ${messageOf(lost)}.`);
    process.exitCode = EXIT.failed;
  });
}
