import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';

/** `tocsin migrate`: every command migrates the database when it connects; this one does nothing else. */
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
