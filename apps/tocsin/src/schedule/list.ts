import { readScheduledRequest } from '@tocsin/pipeline';
import { listSchedules, type ScheduleRow } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { jsonText, tableText } from '../terminal/table.js';
import { scheduleJson } from './show.js';
import { stateText, zonedText } from './texts.js';

/** `tocsin schedule list`. */
export function listCommand(): Command {
  return addStoreOptions(new Command('list'))
    .description('List the schedules.')
    .option('--json', 'print them as JSON, one a line')
    .action(async (flags: StoreFlags & { json?: boolean }) => {
      const schedules = await withStack(flags, ({ pool }) => listSchedules(pool));
      if (flags.json === true)
        for (const schedule of schedules) console.log(jsonText(scheduleJson(schedule, [])));
      else if (schedules.length === 0) console.log('There are no schedules yet: tocsin schedule add');
      else console.log(schedulesTable(schedules));
    });
}

function schedulesTable(schedules: readonly ScheduleRow[]): string {
  return tableText({
    head: ['schedule', 'cron', 'time zone', 'next', 'state', 'guard', 'corpus'],
    rows: schedules.map((schedule) => {
      const { sources, guard } = readScheduledRequest(schedule.request);
      return [
        schedule.name,
        schedule.cron,
        schedule.timeZone,
        schedule.enabled ? zonedText(schedule.nextAt, schedule.timeZone) : '-',
        stateText(schedule),
        guard.ref,
        sources.length === 1 ? String(sources[0]) : `${sources[0]} and ${sources.length - 1} more`,
      ];
    }),
  });
}
