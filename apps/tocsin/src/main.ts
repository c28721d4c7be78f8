import { isUserError, serverError } from '@tocsin/core';
import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.js';
import { failWhenOutputIsLost, showControlCharacters } from './safe-console.js';
import { EXIT } from './terminal/exit-codes.js';
import { Interrupted } from './terminal/interrupt.js';
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
  await addCommands(program, process.argv[2]);
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
