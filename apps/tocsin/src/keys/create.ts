import { ROLES, type Role } from '@tocsin/core';
import { audit, createKey, type KeyRow } from '@tocsin/store';
import { Command, InvalidArgumentError, Option } from 'commander';
import { duration } from '../options/duration.js';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { jsonText } from '../terminal/table.js';
import { COMMAND_LINE } from './command-line.js';

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
