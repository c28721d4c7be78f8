import { Command } from 'commander';
import { createCommand } from './create.js';
import { listCommand } from './list.js';
import { revokeCommand } from './revoke.js';

/** `tocsin keys`: who may use the API and the page. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('Make, list and revoke keys of the API and the page.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}
