import { Command } from 'commander';
import { listCommand } from './list.js';
import { pullCommand } from './pull.js';
import { removeCommand } from './remove.js';
import { showCommand } from './show.js';

/** `tocsin guards`: the available guards and the contents of the caches. */
export function guardsCommand(): Command {
  return new Command('guards')
    .description('Fetch, list, show and remove guards')
    .addCommand(pullCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(removeCommand());
}
