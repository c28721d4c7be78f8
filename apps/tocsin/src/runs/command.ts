import { Command } from 'commander';
import { cancelCommand, retryCommand } from './change.js';
import { exportCommand } from './export.js';
import { listCommand } from './list.js';
import { purgeCommand } from './purge.js';
import { showCommand, watchCommand } from './show.js';

/** `tocsin runs`: lists the newest runs by default. */
export function runsCommand(): Command {
  return new Command('runs')
    .description('List, show, watch, export, cancel, retry and purge runs')
    .addCommand(listCommand(), { isDefault: true })
    .addCommand(showCommand())
    .addCommand(watchCommand())
    .addCommand(exportCommand())
    .addCommand(cancelCommand())
    .addCommand(retryCommand())
    .addCommand(purgeCommand());
}
