import { Command, CommanderError } from 'commander';
import { EXIT } from './exit-codes.js';
import { quickstartCommand } from './quickstart.js';
import { reportError } from './report-error.js';
import { scoreCommand } from './score/command.js';
import { traceCommand } from './trace/command.js';
import { workCommand } from './work.js';

const program = new Command('tocsin')
  .description('Bulk harm scoring with SIREN guards, on your own machines.')
  .version('0.1.0')
  .showHelpAfterError('Run with --help to see what there is.')
  .exitOverride()
  .addCommand(scoreCommand())
  .addCommand(traceCommand())
  .addCommand(workCommand())
  .addCommand(quickstartCommand(), { hidden: true });

// Every command reads its own options and its own errors, as the root does.
for (const command of program.commands) command.copyInheritedSettings(program);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  else {
    reportError(error);
    process.exitCode = EXIT.failed;
  }
}
