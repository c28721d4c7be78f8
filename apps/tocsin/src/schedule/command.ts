import { Command } from 'commander';
import { addCommand } from './add.js';
import { pauseCommand, removeCommand, resumeCommand, runNowCommand } from './change.js';
import { serveCommand } from './serve.js';
import { listCommand, showCommand } from './show.js';
import { deliveriesCommand, testWebhookCommand } from './webhooks.js';

/** `tocsin schedule`: corpora that are scored on a schedule. */
export function scheduleCommand(): Command {
  return new Command('schedule')
    .description('Score corpora regularly, by cron expressions')
    .addCommand(addCommand())
    .addCommand(listCommand())
    .addCommand(showCommand())
    .addCommand(removeCommand())
    .addCommand(runNowCommand())
    .addCommand(pauseCommand())
    .addCommand(resumeCommand())
    .addCommand(deliveriesCommand())
    .addCommand(testWebhookCommand())
    .addCommand(serveCommand());
}
