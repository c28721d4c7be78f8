import { rm } from 'node:fs/promises';
import { createInterface } from 'node:readline/promises';
import { UserError } from '@tocsin/core';
import { bytesText, diskUsage } from '@tocsin/models';
import { Command } from 'commander';
import { planRemoval, planUnused, type Removal, type RemovalFlags } from './removal.js';

interface RemoveFlags extends RemovalFlags {
  unused?: boolean;
  yes?: boolean;
}

/** `tocsin guards remove`: removes guards from the caches, after listing what will be deleted. */
export function removeCommand(): Command {
  return new Command('remove')
    .description("Remove a guard's artifact from the hub's cache, which Python's clients share")
    .argument('[ref]', 'owner/name on the hub, starter, or an artifact directory')
    .option('--backbone', 'also remove its backbone')
    .option('--compiled', 'what was compiled from it too')
    .option('--unused', 'instead of a guard: what older versions compiled')
    .option('--yes', 'do not ask')
    .option('--cache-dir <dir>', 'where compiled guards are kept (TOCSIN_CACHE)')
    .action(remove);
}

async function remove(ref: string | undefined, flags: RemoveFlags): Promise<void> {
  const removals = await plan(ref, flags);
  for (const { what, paths } of removals) {
    console.log(`${what}: ${bytesText((await diskUsage(...paths)).bytes)} (${paths[0]})`);
  }
  const paths = removals.flatMap((removal) => removal.paths);
  const { freed } = await diskUsage(...paths);
  if (flags.yes !== true && !(await confirmed(`Remove this, and free ${bytesText(freed)}?`))) {
    console.log('Nothing was removed.');
    return;
  }
  for (const path of paths) await rm(path, { recursive: true, force: true, maxRetries: 3 });
  console.log(`Removed; ${bytesText(freed)} are free again.`);
}

function plan(ref: string | undefined, flags: RemoveFlags): Promise<Removal[]> {
  if (flags.unused === true && ref === undefined) return planUnused(flags);
  if (ref !== undefined && flags.unused !== true) return planRemoval(ref, flags);
  throw new UserError('either a guard or --unused says what is to be removed', {
    hint: '`tocsin guards list` shows what is there.',
  });
}

async function confirmed(question: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UserError('cannot ask for confirmation without a terminal; nothing was removed', {
      hint: 'Give --yes to remove it all the same.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
