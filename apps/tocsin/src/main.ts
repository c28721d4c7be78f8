import { Command, CommanderError } from 'commander';
import { compareCommand } from './compare/command.js';
import { dashboardCommand } from './dashboard/command.js';
import { doctorCommand } from './doctor/command.js';
import { evalCommand } from './eval/command.js';
import { EXIT } from './exit-codes.js';
import { guardsCommand } from './guards/command.js';
import { keysCommand } from './keys/command.js';
import { quickstartCommand } from './quickstart.js';
import { reportError } from './report-error.js';
import {
  cancelCommand,
  exportCommand,
  purgeCommand,
  retryCommand,
  runCommand,
  runsCommand,
} from './runs/index.js';
import { scheduleCommand } from './schedule/command.js';
import { scoreCommand } from './score/command.js';
import { startCommand } from './start/command.js';
import { submitCommand } from './submit/command.js';
import { traceCommand } from './trace/command.js';
import { VERSION } from './version.js';
import { workCommand } from './work/command.js';

const program = new Command('tocsin')
  .description('Bulk harm scoring with SIREN guards, on your own machines.')
  .version(VERSION)
  .showHelpAfterError('Run with --help to see what there is.')
  .exitOverride()
  .addCommand(scoreCommand())
  .addCommand(evalCommand())
  .addCommand(compareCommand())
  .addCommand(traceCommand())
  .addCommand(guardsCommand())
  .addCommand(submitCommand())
  .addCommand(runsCommand())
  .addCommand(runCommand())
  .addCommand(exportCommand())
  .addCommand(cancelCommand())
  .addCommand(retryCommand())
  .addCommand(purgeCommand())
  .addCommand(scheduleCommand())
  .addCommand(workCommand())
  .addCommand(dashboardCommand())
  .addCommand(keysCommand())
  .addCommand(doctorCommand())
  .addCommand(startCommand())
  .addCommand(quickstartCommand(), { hidden: true });

// Every command reads its own options and its own errors, as the root does.
inherit(program);

function inherit(parent: Command): void {
  for (const command of parent.commands) inherit(command.copyInheritedSettings(parent));
}

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? EXIT.ok : EXIT.failed;
  else {
    reportError(error);
    process.exitCode = EXIT.failed;
  }
}
