import { UserError } from '@tocsin/core';
import { type ScheduledRequest, scheduledRequestOf } from '@tocsin/pipeline';
import {
  DEFAULT_SECRET_ENV,
  nextTime,
  parseSecretEnv,
  parseTimes,
  parseWebhookUrl,
  wakeSchedulers,
} from '@tocsin/scheduler';
import { addSchedule, type Webhook } from '@tocsin/store';
import { Command, InvalidArgumentError } from 'commander';
import {
  addCorpusOptions,
  type CorpusFlags,
  givenReading,
  type RetentionFlags,
  retentionOption,
  SOURCES,
} from '../options/corpus-options.js';
import { addGuardOptions, type GuardFlags, guardSource } from '../options/guard-options.js';
import { withStack } from '../options/store-options.js';
import { probability } from '../options/values.js';
import { addPrivateWebhookOption, allowPrivate, type PrivateWebhookFlags } from './serve.js';
import { printSchedule } from './show.js';

interface AddFlags extends GuardFlags, CorpusFlags, RetentionFlags, PrivateWebhookFlags {
  threshold?: number;
  cron: string;
  timeZone: string;
  webhook?: string;
  webhookSecretEnv?: string;
  json?: boolean;
}

/** `tocsin schedule add`: submits a corpus on a schedule. */
export function addCommand(): Command {
  return addPrivateWebhookOption(addCorpusOptions(addGuardOptions(new Command('add'))))
    .description('Submit a corpus whenever a cron expression comes due. Only new rows are scored')
    .argument('<name>', 'name of the schedule', scheduleName)
    .argument(
      '<corpus...>',
      `${SOURCES.replace(/, or - for standard input$/, '')}; looked up again each time`,
    )
    .requiredOption('--cron <fields>', 'minute, hour, day of month, month, day of week: "30 2 * * *"')
    .option('--time-zone <name>', 'time zone of the cron fields, e.g. Europe/Berlin', 'UTC')
    .option('--threshold <p>', "count scores from this one up as harmful (default: the guard's)", probability)
    .addOption(retentionOption())
    .option('--webhook <url>', 'URL that gets the signed summary of each run (Standard Webhooks)')
    .option(
      '--webhook-secret-env <name>',
      `environment variable of the scheduler with the secret (default: ${DEFAULT_SECRET_ENV})`,
    )
    .option('--json', 'print the schedule as JSON')
    .addHelpText('after', HELP)
    .action((name: string, corpus: string[], flags: AddFlags) => add(name, corpus, flags));
}

const HELP = `
Schedules are run by \`tocsin schedule serve\` and by \`tocsin start\`. A time that comes while the last run of the
schedule is still going is skipped; times that come while nothing runs are made up by one run. A local time that the
clocks skip in spring comes an hour later, one that they repeat in autumn comes once.`;

async function add(name: string, corpus: string[], flags: AddFlags): Promise<void> {
  const { cron, timeZone, json, query, queryFile, threshold, retain } = flags;
  const times = parseTimes({ cron, timeZone });
  const request = scheduledRequestOf({
    sources: corpus,
    reading: { ...givenReading(flags), query } as ScheduledRequest['reading'],
    guard: guardSource(flags),
    queryFile,
    threshold,
    retain,
  });
  const webhook = webhookOf(flags);
  await withStack(flags, async ({ pool, backend }) => {
    const nextAt = nextTime(times, new Date());
    const schedule = await addSchedule(pool, { ...times, name, request, webhook, nextAt });
    await wakeSchedulers(pool, backend);
    printSchedule(schedule, [], json === true);
  });
}

function webhookOf(flags: AddFlags): Webhook | undefined {
  if (flags.webhook === undefined) {
    if (flags.webhookSecretEnv === undefined) return undefined;
    throw new UserError('--webhook-secret-env is for a webhook, and there is none', {
      hint: 'Name one with --webhook, or leave it out.',
    });
  }
  return {
    url: parseWebhookUrl(flags.webhook, { allowPrivate: allowPrivate(flags) }).href,
    secretEnv: parseSecretEnv(flags.webhookSecretEnv ?? DEFAULT_SECRET_ENV),
  };
}

function scheduleName(text: string): string {
  if (/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/.test(text)) return text;
  throw new InvalidArgumentError('Expected up to 64 letters, digits, dots, dashes and underscores.');
}
