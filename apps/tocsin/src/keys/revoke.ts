import { UserError } from '@tocsin/core';
import { audit, revokeKey } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { oneLine } from '../terminal/printable.js';
import { COMMAND_LINE } from './command-line.js';

/** `tocsin keys revoke`. */
export function revokeCommand(): Command {
  return addStoreOptions(new Command('revoke'))
    .description('Make a key worthless, at once; sessions that were begun with it end.')
    .argument('<key>', 'its id, or how it begins (tocsin keys list)')
    .action(async (which: string, flags: StoreFlags) => {
      const { name } = await withStack(flags, async ({ pool }) => {
        const revoked = await revokeKey(pool, which.replace(/…$/, ''));
        if (revoked === undefined) {
          throw new UserError('there is no such key', { hint: 'Those that there are: tocsin keys list' });
        }
        const details = { name: revoked.name };
        await audit(pool, { ...COMMAND_LINE, action: 'key.revoke', subject: revoked.id, details });
        return revoked;
      });
      console.log(`The key of ${oneLine(name)} is revoked.`);
    });
}
