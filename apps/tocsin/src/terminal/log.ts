import { type Logger, pino } from 'pino';

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'];

/** The password in a URL, wherever it stands in a line. */
const PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s:@/"\\]*):[^\s@/"\\]+@/gi;

/** The log of a process: JSON lines on standard error, without passwords, and without content of texts at any level. */
export function openLog(
  level: string,
  destination: { write(line: string): unknown } = pino.destination(2),
): Logger {
  return pino({ level, hooks: { streamWrite: withoutPasswords } }, destination as pino.DestinationStream);
}

/** Errors of servers and clients may quote the URL that they were given. */
export function withoutPasswords(line: string): string {
  return line.replace(PASSWORD, '$1:***@');
}
