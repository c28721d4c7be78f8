import { readScheduledRequest, type ScheduledRequest } from '@tocsin/pipeline';
import { nextTimes, shownUrl } from '@tocsin/scheduler';
import { type FiringRow, getSchedule, listFirings, listSchedules, type ScheduleRow } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { wholeNumber } from '../options/values.js';
import { fieldLines, jsonText, tableText } from '../terminal/table.js';
import { firingsTable, stateText, zonedText } from './texts.js';

const SHOWN_TIMES = 5;
const SHOWN_FIRINGS = 10;

/** `tocsin schedule show`: a schedule, its next times and its latest firings. */
export function showCommand(): Command {
  return addStoreOptions(new Command('show'))
    .description('Show a schedule: its next times and its last runs')
    .argument('<name>')
    .option('--firings <n>', 'number of past runs', wholeNumber, SHOWN_FIRINGS)
    .option('--json', 'print it as JSON')
    .action(async (name: string, flags: StoreFlags & { firings: number; json?: boolean }) => {
      await withStack(flags, async ({ pool }) => {
        const schedule = await getSchedule(pool, name);
        printSchedule(schedule, await listFirings(pool, schedule.id, flags.firings), flags.json === true);
      });
    });
}

export function printSchedule(schedule: ScheduleRow, firings: readonly FiringRow[], json: boolean): void {
  console.log(json ? jsonText(scheduleJson(schedule, firings)) : scheduleText(schedule, firings));
}

/** The next times; none when paused. A missed time comes first, because it will fire now. */
function timesOf(schedule: ScheduleRow): Date[] {
  if (!schedule.enabled) return [];
  const { nextAt } = schedule;
  const now = new Date();
  return [nextAt, ...nextTimes(schedule, nextAt > now ? nextAt : now, SHOWN_TIMES - 1)];
}

/** A schedule as JSON, with its webhook URL redacted. */
function scheduleJson(schedule: ScheduleRow, firings: readonly FiringRow[]): object {
  const { webhookUrl, ...rest } = schedule;
  return {
    ...rest,
    webhook: webhookUrl === null ? null : shownUrl(webhookUrl),
    nextTimes: timesOf(schedule),
    firings: firings.map(({ id, dueAt, cause, state, runId, startedAt, finishedAt, summary, reason }) => ({
      id,
      dueAt,
      cause,
      state,
      runId,
      startedAt,
      finishedAt,
      summary,
      reason,
    })),
  };
}

function queryLine({ reading, queryFile }: ScheduledRequest): [string, string][] {
  const text = reading.query ?? queryFile;
  return text === undefined ? [] : [['query', text]];
}

function scheduleText(schedule: ScheduleRow, firings: readonly FiringRow[]): string {
  const request = readScheduledRequest(schedule.request);
  const { sources, guard, threshold, retain } = request;
  const { timeZone, webhookUrl, webhookSecretEnv, webhookClosed } = schedule;
  const [next = '-', ...later] = timesOf(schedule).map((time) => zonedText(time, timeZone));
  const webhook = webhookUrl === null ? 'none' : `${shownUrl(webhookUrl)}, secret in ${webhookSecretEnv}`;
  const lines: [string, string][] = [
    ['schedule', schedule.name],
    ['state', stateText(schedule)],
    ['cron', `${schedule.cron} (${timeZone})`],
    ['next', next],
    ...later.map((time): [string, string] => ['', time]),
    ['corpus', sources.join(' ')],
    ...queryLine(request),
    ['guard', [guard.ref, guard.backbone, guard.precision].filter((part) => part !== undefined).join(', ')],
    ['threshold', threshold === undefined ? "the artifact's" : String(threshold)],
    ['retain', retain ?? 'flagged'],
    ['webhook', webhookClosed === null ? webhook : `${webhook}; closed: ${webhookClosed}`],
  ];
  const text = fieldLines(lines);
  if (firings.length > 0) text.push('', firingsTable(firings, timeZone));
  return text.join('\n');
}

/** `tocsin schedule list`. */
export function listCommand(): Command {
  return addStoreOptions(new Command('list'))
    .description('List the schedules')
    .option('--json', 'print JSON, one schedule per line')
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
