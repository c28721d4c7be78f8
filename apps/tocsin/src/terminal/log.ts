import { Writable } from 'node:stream';
import { type Command, Option } from 'commander';
import { type Logger, pino } from 'pino';
import pretty from 'pino-pretty';
import { printable } from './printable.js';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/** Matches the password in a URL anywhere in a line. */
const PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/gi;

export interface LogFlags {
  logLevel: string;
  logFormat?: LogFormat;
}
const LOG_FORMATS = ['pretty', 'json'] as const;
type LogFormat = (typeof LOG_FORMATS)[number];

export function addLogOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--log-level <level>', 'least severe level to log').choices(LOG_LEVELS).default('info'),
    )
    .addOption(
      new Option(
        '--log-format <format>',
        'pretty for people, json for machines (default: pretty on a terminal, else json)',
      ).choices(LOG_FORMATS),
    );
}

/** The same flags, for a child process that shares this standard error. */
export function logArguments({ logLevel, logFormat = defaultFormat() }: LogFlags): string[] {
  return ['--log-level', logLevel, '--log-format', logFormat];
}

function defaultFormat(): LogFormat {
  return process.stderr.isTTY ? 'pretty' : 'json';
}

/** Logs to standard error: JSON lines with ISO times, or readable lines. Never contains passwords or row texts. */
export function openLog(
  { logLevel: level, logFormat = defaultFormat() }: LogFlags,
  destination: { write(line: string): unknown } = process.stderr,
): Logger {
  const options = {
    level,
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: { streamWrite: withoutPasswords },
  };
  const json = destination as pino.DestinationStream;
  if (logFormat === 'json') return pino(options, destination === process.stderr ? pino.destination(2) : json);
  return pino(options, pretty({ ...PRETTY, destination: printableOnly(destination) }));
}

// Without colours, because the whole line is escaped.
const PRETTY = {
  colorize: false,
  translateTime: 'UTC:yyyy-mm-dd HH:MM:ss"Z"',
  ignore: 'pid,hostname',
  sync: true,
};

function printableOnly(destination: { write(line: string): unknown }): Writable {
  return new Writable({
    decodeStrings: false,
    write: (line: string, _, done) => {
      destination.write(printable(line));
      done();
    },
  });
}

/** Errors of servers and clients may quote their URL. */
export function withoutPasswords(line: string): string {
  return line.replace(PASSWORD, '$1:***@');
}
