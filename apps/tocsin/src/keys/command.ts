import { ROLES, type Role, UserError } from '@tocsin/core';
import type { Pool } from '@tocsin/postgres';
import { audit, createKey, type KeyRow, listKeys, revokeKey } from '@tocsin/store';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { duration } from '../options/values.js';
import { whenText } from '../runs/texts.js';
import { oneLine } from '../terminal/printable.js';
import { jsonText, tableText } from '../terminal/table.js';

/** `tocsin keys`: API keys for the API and the page. */
export function keysCommand(): Command {
  return new Command('keys')
    .description('Create, list and revoke keys of the API and the page')
    .addCommand(createCommand())
    .addCommand(listCommand())
    .addCommand(revokeCommand());
}

/** The actor in audit entries of the command line. */
export const COMMAND_LINE = { who: 'command line', keyId: null } as const;

interface CreateFlags extends StoreFlags {
  role: Role;
  withoutAdmin?: boolean;
  expires?: number;
  json?: boolean;
}

const MAX_NAME = 100;

/** `tocsin keys create`: prints a new key once. */
export function createCommand(): Command {
  return addStoreOptions(new Command('create'))
    .description('Create a key and print it; it is not shown again')
    .argument('<name>', 'owner or purpose of the key', keyName)
    .addOption(
      new Option(
        '--role <role>',
        'submit: score and submit runs; read: see everything; review: also judge rows; admin: everything',
      )
        .choices([...ROLES])
        .default('admin'),
    )
    .option('--expires <duration>', 'lifetime of the key, e.g. 90d (default: unlimited)', duration)
    .option('--json', 'print the key and its details as JSON')
    .option('--without-admin', 'allow a first key that is not an admin key')
    .addHelpText('after', '\nOnce a key exists, every request to the API and the page needs one.')
    .action((name: string, flags: CreateFlags) => create(name, flags));
}

async function create(
  name: string,
  { role, expires, json, withoutAdmin, ...store }: CreateFlags,
): Promise<void> {
  const expiresAt = expires === undefined ? undefined : new Date(Date.now() + expires);
  const { key, row } = await withStack(store, async ({ pool }) => {
    if (role !== 'admin' && withoutAdmin !== true) await requireAdmin(pool);
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

/** The first key ends keyless access: without an admin key, only this command line could administer. */
async function requireAdmin(pool: Pool): Promise<void> {
  const now = new Date();
  const valid = (key: KeyRow): boolean =>
    key.revokedAt === null && (key.expiresAt === null || key.expiresAt > now);
  if ((await listKeys(pool)).some((key) => key.role === 'admin' && valid(key))) return;
  throw new UserError('there is no admin key yet, and once a key exists, every request needs one', {
    hint: 'Create an admin key first (tocsin keys create NAME --role admin), or add --without-admin.',
  });
}

function madeText({ name, role, expiresAt }: KeyRow): string {
  const until = expiresAt === null ? '' : ` until ${expiresAt.toISOString()}`;
  return `Key of ${name} (${role}${until}); it is not shown again:`;
}

function keyName(text: string): string {
  if (text.trim() !== '' && text.length <= MAX_NAME) return text;
  throw new InvalidArgumentError(`Expected up to ${MAX_NAME} characters.`);
}

/** `tocsin keys list`. */
export function listCommand(): Command {
  return addStoreOptions(new Command('list'))
    .description('List the keys, newest first, by their first characters')
    .option('--json', 'print JSON, one key per line')
    .action(async (flags: StoreFlags & { json?: boolean }) => {
      const keys = await withStack(flags, ({ pool }) => listKeys(pool));
      if (flags.json === true) for (const key of keys) console.log(jsonText(key));
      else if (keys.length === 0) console.log('No keys yet. Create one with tocsin keys create NAME.');
      else console.log(keysTable(keys));
    });
}

function keysTable(keys: readonly KeyRow[]): string {
  return tableText({
    head: ['key', 'name', 'role', 'created (UTC)', 'by', 'last used', 'state'],
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
    .description('Revoke a key at once, and end its sessions')
    .argument('<key>', 'id or first characters of the key, from tocsin keys list')
    .action(async (which: string, flags: StoreFlags) => {
      const { name } = await withStack(flags, async ({ pool }) => {
        const revoked = await revokeKey(pool, which.replace(/…$/, ''));
        if (revoked === undefined) {
          throw new UserError('there is no such key', { hint: 'List the keys with tocsin keys list.' });
        }
        const details = { name: revoked.name };
        await audit(pool, { ...COMMAND_LINE, action: 'key.revoke', subject: revoked.id, details });
        return revoked;
      });
      console.log(`The key of ${oneLine(name)} is revoked.`);
    });
}
