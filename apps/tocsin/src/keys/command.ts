import { ROLES, type Role, UserError } from '@tocsin/core';
import { audit, createKey, type KeyRow, listKeys, revokeKey } from '@tocsin/store';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { duration } from '../options/values.js';
import { whenText } from '../runs/texts.js';
import { oneLine } from '../terminal/printable.js';
import { jsonText, tableText } from '../terminal/table.js';

/** `tocsin keys`: who may use the API and the page. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('Make, list and revoke keys of the API and the page.')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

/** Who does what is done on a command line, in the audit log. */
export const COMMAND_LINE = { who: 'command line', keyId: null } as const;

interface CreateFlags extends StoreFlags {
  role: Role;
  expires?: number;
  json?: boolean;
}

const MAX_NAME = 100;

/** `tocsin keys create`: prints a new key, once. */
export function createCommand(): Command {
  return addStoreOptions(new Command('create'))
    .description('Make a key and print it. It cannot be printed again.')
    .argument('<name>', 'whose key it is, or what for', keyName)
    .addOption(
      new Option(
        '--role <role>',
        'submit: score and run; read: see all; review: and judge; admin: everything',
      )
        .choices([...ROLES])
        .default('admin'),
    )
    .option('--expires <duration>', 'it is worthless after so long, e.g. 90d (default: never)', duration)
    .option('--json', 'print the key and what belongs to it as JSON')
    .addHelpText('after', '\nAs soon as there is one key, every request to the API and the page needs one.')
    .action((name: string, flags: CreateFlags) => create(name, flags));
}

async function create(name: string, { role, expires, json, ...store }: CreateFlags): Promise<void> {
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
  const { key, row } = await withStack(store, async ({ pool }) => {
    const made = await createKey(pool, { name, role, expiresAt, createdBy: COMMAND_LINE.who });
    await audit(pool, {
      ...COMMAND_LINE,
      action: 'key.create',
      subject: made.row.id,
      details: { name, role },
    });
    return made;
  });
  if (json === true) {
    console.log(jsonText({ ...row, key }));
    return;
  }
  console.error(madeText(row));
  console.log(key);
}

function madeText({ name, role, expiresAt }: KeyRow): string {
  const until = expiresAt === null ? '' : ` until ${expiresAt.toISOString()}`;
  return `The key of ${name} (${role}${until}). It is not shown again:`;
}

function keyName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_NAME) return text;
  throw new InvalidArgumentError(`Expected up to ${MAX_NAME} characters.`);
}

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
