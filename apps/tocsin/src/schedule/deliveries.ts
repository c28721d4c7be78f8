import { type DeliveryRow, getSchedule, listDeliveries } from '@tocsin/store';
import { Command } from 'commander';
import { wholeNumber } from '../options/guard-options.js';
import { addStoreOptions, type StoreFlags, withStack } from '../options/store-options.js';
import { jsonText, tableText } from '../terminal/table.js';
import { zonedText } from './texts.js';

const SHOWN = 20;

/** `tocsin schedule deliveries`: what became of the messages to a schedule's webhook. */
export function deliveriesCommand(): Command {
  return addStoreOptions(new Command('deliveries'))
    .description("List the newest messages to a schedule's webhook, and what became of them.")
    .argument('<name>')
    .option('--limit <n>', 'how many', wholeNumber, SHOWN)
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
