import { type Sent, sendTest } from '@tocsin/scheduler';
import { type DeliveryRow, getSchedule, listDeliveries } from '@tocsin/store';
import { Command } from 'commander';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { wholeNumber } from '../options/values.js';
import { EXIT } from '../terminal/interrupt.js';
import { jsonText, tableText } from '../terminal/table.js';
import { addPrivateWebhookOption, allowPrivate, type PrivateWebhookFlags } from './serve.js';
import { zonedText } from './texts.js';

type TestFlags = StoreFlags & PrivateWebhookFlags & { json?: boolean };

/** `tocsin schedule test-webhook`: sends one message of type `test` from this machine. */
export function testWebhookCommand(): Command {
  return addStoreOptions(addPrivateWebhookOption(new Command('test-webhook')))
    .description("Send a test message to a schedule's webhook, once, from this process")
    .argument('<name>')
    .option('--json', 'print the result as JSON')
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
      return `Not delivered: the receiver answered ${sent.status} and wants no more messages.`;
    case 'refused':
      return `Not sent: ${sent.reason}.${sent.hint === undefined ? '' : `\n${sent.hint}`}`;
    case 'failed':
      return `Not delivered: ${sent.reason}.`;
  }
}

const SHOWN = 20;

/** `tocsin schedule deliveries`: the messages to a schedule's webhook and their outcomes. */
export function deliveriesCommand(): Command {
  return addStoreOptions(new Command('deliveries'))
    .description("List the newest messages to a schedule's webhook and their outcomes")
    .argument('<name>')
    .option('--limit <n>', 'number of messages', wholeNumber, SHOWN)
    .option('--json', 'print them as JSON, one a line')
    .action(async (name: string, flags: StoreFlags & { limit: number; json?: boolean }) => {
      await withStack(flags, async ({ pool }) => {
        const { id, timeZone } = await getSchedule(pool, name);
        const deliveries = await listDeliveries(pool, id, flags.limit);
        if (flags.json === true)
          for (const delivery of deliveries) console.log(jsonText(deliveryJson(delivery)));
        else if (deliveries.length === 0) console.log('There are none.');
        else console.log(deliveriesTable(deliveries, timeZone));
      });
    });
}

function deliveryJson(delivery: DeliveryRow): object {
  const { webhookUrl: _, webhookSecretEnv: __, webhookClosed: ___, body, ...rest } = delivery;
  return { ...rest, body: JSON.parse(body) as unknown };
}

function deliveriesTable(deliveries: readonly DeliveryRow[], timeZone: string): string {
  return tableText({
    head: ['id', 'about', 'made', 'state', 'attempts', 'next', 'answer', 'why'],
    rows: deliveries.map((delivery) => [
      delivery.id,
      (JSON.parse(delivery.body) as { type: string }).type,
      zonedText(delivery.createdAt, timeZone),
      delivery.state,
      String(delivery.attempts),
      delivery.state === 'pending' ? zonedText(delivery.nextAt, timeZone) : '-',
      delivery.lastStatus === null ? '-' : String(delivery.lastStatus),
      delivery.lastError ?? '',
    ]),
  });
}
