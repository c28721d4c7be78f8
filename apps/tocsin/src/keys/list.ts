import { type KeyRow, listKeys } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { whenText } from '../runs/texts.js';
import { jsonText, tableText } from '../terminal/table.js';

/** `tocsin keys list`. */
export function listCommand(): Command {
  return addStoreOptions(new Command('list'))
    .description('List the keys, the newest first: how they begin, never what they are.')
    .option('--json', 'print them as JSON, one a line')
    .action(async (flags: StoreFlags & { json?: boolean }) => {
      const keys = await withStack(flags, ({ pool }) => listKeys(pool));
      if (flags.json === true) for (const key of keys) console.log(jsonText(key));
      else if (keys.length === 0) console.log('There are no keys yet: tocsin keys create');
      else console.log(keysTable(keys));
    });
}

function keysTable(keys: readonly KeyRow[]): string {
  return tableText({
    head: ['key', 'name', 'role', 'made', 'by', 'last used', 'state'],
    rows: keys.map((key) => [
      `${key.prefix}…`,
      key.name,
      key.role,
      whenText(key.createdAt),
      key.createdBy,
      key.lastUsedAt === null ? 'never' : whenText(key.lastUsedAt),
      stateText(key),
    ]),
  });
}

function stateText({ revokedAt, expiresAt }: KeyRow, now = new Date()): string {
  if (revokedAt !== null) return `revoked ${whenText(revokedAt)}`;
  if (expiresAt === null) return 'valid';
  return `${expiresAt <= now ? 'expired' : 'valid until'} ${whenText(expiresAt)}`;
}
