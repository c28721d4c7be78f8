import { format } from 'node:util';
import { codeOf, isUserError, messageOf, serverError } from '@tocsin/core';
import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.js';
import { EXIT, Interrupted } from './terminal/interrupt.js';
import { printable } from './terminal/printable.js';
import { VERSION } from './version.js';

showControlCharacters();
failWhenOutputIsLost();

const program = new Command('tocsin')
  .description('Bulk harm scoring with SIREN guards, on your own machines')
  .version(VERSION)
  .showHelpAfterError('Run with --help for the commands and options.')
  .exitOverride();

// Subcommands inherit neither option parsing nor error handling from the root.
function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.copyInheritedSettings(parent));
}

try {
  await addCommands(program, process.argv[2], process.argv.slice(3));
  inherit(program);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) {
    if (error.code === 'commander.missingMandatoryOptionValue' && error.message.includes('--guard'))
      console.error('To try Tocsin, use --guard starter, a small English guard that pip fetches.');
    process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  } else if (error instanceof Interrupted) process.exitCode = EXIT.interrupted;
  else {
    reportError(error);
    process.exitCode = EXIT.failed;
  }
}

/** Prints an error: a user error as message and hint, an internal error with its stack. */
function reportError(error: unknown): void {
  const known = isUserError(error) ? error : serverError(error);
  if (known !== undefined) {
    console.error(`tocsin: ${known.message}`);
    if (known.hint !== undefined) console.error(known.hint);
    return;
  }
  console.error('tocsin: this is a bug in Tocsin. Please report it with the following:');
  console.error(error);
}

/**
 * Makes `console.log` and `console.error` print control characters as escapes. Names of runs and files, row keys and server
 * messages are untrusted, and could move the cursor or change the window title. JSON keeps its meaning, because the
 * escapes are JSON's own. Coloured text is written to `process.stdout` directly.
 */
function showControlCharacters(): void {
  const { log, error } = console;
  console.log = (...parts: unknown[]) => log('%s', printable(format(...parts)));
  console.error = (...parts: unknown[]) => error('%s', printable(format(...parts)));
}

/**
 * Sets the exit code when writing to standard output fails (a full disk, say), which `console.log` ignores. A closed pipe
 * (`tocsin runs | head`) is no failure.
 */
function failWhenOutputIsLost(): void {
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
