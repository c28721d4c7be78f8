import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';

/** `tocsin migrate`: migrates the database and exits. Other commands migrate when they connect. */
export function migrateCommand(): Command {
  return addStoreOptions(new Command('migrate'))
    .description('Create or update the tables of Tocsin in the database')
    .addHelpText(
      'after',
      '\nEvery command that opens the database does this first. Run it alone before an upgrade, as a role that may create tables.',
    )
    .action(async (flags: StoreFlags) => {
      await withStack(flags, async () => console.log('The tables are up to date.'));
    });
}
