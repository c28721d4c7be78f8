import { nextTime, wakeSchedulers } from '@tocsin/scheduler';
import { fireNow, getSchedule, pauseSchedule, removeSchedule, resumeSchedule } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import type { Stack } from '../services/stack.js';
import { jsonText } from '../terminal/table.js';
import { zonedText } from './texts.js';

/** The result of a change, as text and as JSON. */
interface Changed {
  text: string;
  json: object;
}

export const removeCommand = (): Command =>
  changeCommand('remove', 'Remove a schedule; its runs stay', async ({ pool }, name) => {
    await removeSchedule(pool, name);
    return { text: `${name} is removed.`, json: { name, removed: true } };
  });

export const pauseCommand = (): Command =>
  changeCommand('pause', 'Pause a schedule', async ({ pool }, name) => {
    await pauseSchedule(pool, name);
    return { text: `${name} is paused.`, json: { name, enabled: false } };
  });

export const resumeCommand = (): Command =>
  changeCommand(
    'resume',
    'Resume a schedule and reopen its webhook; missed times are skipped',
    async ({ pool }, name) => {
      await resumeSchedule(pool, name, nextTime(await getSchedule(pool, name), new Date()));
      const { nextAt, timeZone } = await getSchedule(pool, name);
      return {
        text: `${name} comes due at ${zonedText(nextAt, timeZone)} (${timeZone}).`,
        json: { name, enabled: true, nextAt },
      };
    },
  );

export const runNowCommand = (): Command =>
  changeCommand(
    'run-now',
    'Make a schedule due now; the next scheduler that runs submits it',
    async ({ pool }, name) => {
      const firing = await fireNow(pool, name);
      return {
        text: `${name} is due. See its runs: tocsin schedule show ${name}`,
        json: { name, firing: firing.id, dueAt: firing.dueAt },
      };
    },
  );

/** A command that changes one schedule and notifies the schedulers. */
function changeCommand(
  verb: string,
  description: string,
  change: (stack: Stack, name: string) => Promise<Changed>,
): Command {
  return addStoreOptions(new Command(verb))
    .description(description)
    .argument('<name>')
    .option('--json', 'print the result as JSON')
    .action(async (name: string, flags: StoreFlags & { json?: boolean }) => {
      const changed = await withStack(flags, async (stack) => {
        const done = await change(stack, name);
        await wakeSchedulers(stack.pool, stack.backend);
        return done;
      });
      console.log(flags.json === true ? jsonText(changed.json) : changed.text);
    });
}
