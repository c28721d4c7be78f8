import type { Command } from 'commander';
import { portNumber } from '../metrics-options.js';

/** Where the API and the page are served, and what they may do. */
export interface DashboardFlags {
  host: string;
  port: number;
  trustProxy?: string[];
  corpusRoot?: string[];
}

export const DEFAULT_HOST = '127.0.0.1';
export const DEFAULT_PORT = 8080;

export function addDashboardOptions(command: Command): Command {
  return command
    .option(
      '--host <address>',
      'listen there; other than this machine only when there is a key',
      DEFAULT_HOST,
    )
    .option('--port <port>', 'listen there; 0 takes any that is free', portNumber, DEFAULT_PORT)
    .option('--trust-proxy <addresses>', 'proxies whose X-Forwarded-For is believed, e.g. 10.0.0.0/8', list)
    .option('--corpus-root <dir>', 'schedules made on the page may read there; may be repeated', several);
}

function list(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** An option that may be given more than once. */
export const several = (value: string, before: string[] = []): string[] => [...before, value];
