import { type Sent, sendTest } from '@tocsin/scheduler';
import { getSchedule } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { EXIT } from '../terminal/exit-codes.js';
import { jsonText } from '../terminal/table.js';
import { addPrivateWebhookOption, allowPrivate, type PrivateWebhookFlags } from './service.js';

type TestFlags = StoreFlags & PrivateWebhookFlags & { json?: boolean };

/** `tocsin schedule test-webhook`: one message of type `test`, sent from here and now, once. */
export function testWebhookCommand(): Command {
  return addStoreOptions(addPrivateWebhookOption(new Command('test-webhook')))
    .description("Send a message of type test to a schedule's webhook, once, from this process.")
    .argument('<name>')
    .option('--json', 'print what came of it as JSON')
    .addHelpText('after', '\nExit code: 0 delivered, 1 not.')
    .action(async (name: string, flags: TestFlags) => {
      const schedule = await withStack(flags, ({ pool }) => getSchedule(pool, name));
      const sent = await sendTest(schedule, { allowPrivate: allowPrivate(flags) });
      if (flags.json === true) console.log(jsonText({ name, ...sent }));
      else console.log(sentText(sent));
      process.exitCode = sent.kind === 'delivered' ? EXIT.ok : EXIT.failed;
    });
}

function sentText(sent: Sent): string {
  switch (sent.kind) {
    case 'delivered':
      return `Delivered: the answer was ${sent.status}.`;
    case 'gone':
      return `Not delivered: the answer was ${sent.status}, by which a receiver says that it wants no more.`;
    case 'refused':
      return `Not sent: ${sent.reason}.${sent.hint === undefined ? '' : `\n${sent.hint}`}`;
    case 'failed':
      return `Not delivered: ${sent.reason}.`;
  }
}
