import { Command } from 'commander';
import { listCommand } from './list.js';
import { pullCommand } from './pull.js';
import { removeCommand } from './remove.js';
import { showCommand } from './show.js';

/** `tocsin guards`: which guards there are, and what the caches hold of them. */
export function guardsCommand(): Command {
  return new Command('guards')
    .description('Fetch, list, show and remove guards')
    .addCommand(pullCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(removeCommand());
}
