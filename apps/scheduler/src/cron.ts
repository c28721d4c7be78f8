import { messageOf, UserError } from '@tocsin/core';
import { CronExpressionParser } from 'cron-parser';

/** When a schedule fires. */
export interface Times {
  /** Minute, hour, day of month, month, day of week. */
  cron: string;
  /** IANA: `Europe/Berlin`. */
  timeZone: string;
}

const FIELDS = 5;
const HINT = 'Minute, hour, day of month, month, day of week: "30 2 * * *" is every night at half past two.';

/**
 * Validates a cron expression and a time zone. @returns the expression with single spaces
 * @throws UserError naming the invalid part
 */
export function parseTimes({ cron, timeZone }: Times): Times {
  requireTimeZone(timeZone);
  const fields = cron.trim().split(/\s+/);
  if (fields.length !== FIELDS) {
    throw new UserError(
      `a cron expression has ${FIELDS} fields; ${JSON.stringify(cron)} has ${fields.length}`,
      {
        hint: HINT,
      },
    );
  }
  // Names of months and days contain an H too: MAR-THU. The random H stands alone, or before a bracket or a slash.
  if (fields.some((field) => /(^|,)H([(/,]|$)/i.test(field))) {
    throw new UserError(
      'a cron expression cannot contain H: it would be a different time at each evaluation',
      {
        hint: HINT,
      },
    );
  }
  const times = { cron: fields.join(' '), timeZone };
  try {
    nextTime(times, new Date());
  } catch (cause) {
    throw new UserError(`${JSON.stringify(cron)} is not a cron expression: ${messageOf(cause)}`, {
      hint: HINT,
      cause,
    });
  }
  return times;
}

/**
 * The first time after `date`. A local time that is skipped in spring moves by the skipped hour (02:30 becomes 03:30); one
 * that is repeated in autumn fires once. Schedules every few minutes or every hour fire in both repeated hours.
 */
export function nextTime({ cron, timeZone }: Times, date: Date): Date {
  return CronExpressionParser.parse(cron, { currentDate: date, tz: timeZone }).next().toDate();
}

/** The first `count` times after `date`. */
export function nextTimes(times: Times, date: Date, count: number): Date[] {
  const all: Date[] = [];
  for (let last = date; all.length < count; ) {
    last = nextTime(times, last);
    all.push(last);
  }
  return all;
}

function requireTimeZone(timeZone: string): void {
  try {
    new Intl.DateTimeFormat('en', { timeZone });
  } catch (cause) {
    throw new UserError(`${JSON.stringify(timeZone)} is not a time zone`, {
      hint: 'Expected an IANA name: Europe/Berlin, America/New_York, UTC.',
      cause,
    });
  }
}
