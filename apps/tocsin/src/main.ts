import { Command, CommanderError } from 'commander';
import { addCommands } from './commands.js';
import { failWhenOutputIsLost, showControlCharacters } from './safe-console.js';
import { EXIT } from './terminal/exit-codes.js';
import { Interrupted } from './terminal/interrupt.js';
import { reportError } from './terminal/report-error.js';
import { VERSION } from './version.js';

showControlCharacters();
failWhenOutputIsLost();

const program = new Command('tocsin')
  .description('Bulk harm scoring with SIREN guards, on your own machines.')
  .version(VERSION)
  .showHelpAfterError('Run with --help to see what there is.')
  .exitOverride();

// Every command reads its own options and its own errors, as the root does.
function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.copyInheritedSettings(parent));
}

try {
  await addCommands(program, process.argv[2]);
  inherit(program);
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  else if (error instanceof Interrupted) process.exitCode = EXIT.interrupted;
  else {
    reportError(error);
    process.exitCode = EXIT.failed;
  }
}
