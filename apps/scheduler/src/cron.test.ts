import { describe, expect, test } from 'vitest';
import { nextTime, nextTimes, parseTimes } from './cron.js';

const berlin = (cron: string): { cron: string; timeZone: string } => ({ cron, timeZone: 'Europe/Berlin' });
const iso = (dates: Date[]): string[] => dates.map((date) => date.toISOString());

describe('over a change of the clocks', () => {
  test('a night at 02:30 that has no 02:30 fires at 03:30, once', () => {
    expect(iso(nextTimes(berlin('30 2 * * *'), new Date('2026-03-27T12:00:00Z'), 3))).toEqual([
      '2026-03-28T01:30:00.000Z',
      '2026-03-29T01:30:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
  });

  test('a night that has 02:30 twice fires once', () => {
    expect(iso(nextTimes(berlin('30 2 * * *'), new Date('2026-10-24T12:00:00Z'), 2))).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
    // As a scheduler that was down in between would.
    expect(iso(nextTimes(berlin('30 2 * * *'), new Date('2026-10-25T00:45:00Z'), 1))).toEqual([
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  test('every half hour is every half hour, in the repeated hour too', () => {
    expect(iso(nextTimes(berlin('*/30 * * * *'), new Date('2026-10-24T23:45:00Z'), 4))).toEqual([
      '2026-10-25T00:00:00.000Z',
      '2026-10-25T00:30:00.000Z',
      '2026-10-25T01:00:00.000Z',
      '2026-10-25T01:30:00.000Z',
    ]);
  });

  test('the local time stays, the hour in UTC does not', () => {
    const times = { cron: '0 9 * * 1', timeZone: 'America/New_York' };
    expect(iso(nextTimes(times, new Date('2026-10-27T00:00:00Z'), 2))).toEqual([
      '2026-11-02T14:00:00.000Z',
      '2026-11-09T14:00:00.000Z',
    ]);
    expect(nextTime(times, new Date('2026-10-20T00:00:00Z')).toISOString()).toBe('2026-10-26T13:00:00.000Z');
  });
});

test('a time that is due is not its own next one', () => {
  const at = new Date('2026-06-01T02:30:00Z');
  expect(nextTime({ cron: '30 2 * * *', timeZone: 'UTC' }, at).toISOString()).toBe(
    '2026-06-02T02:30:00.000Z',
  );
});

test('blanks are made single, names of days and months are known', () => {
  expect(parseTimes({ cron: '  0  3 * MAR-MAY  * ', timeZone: 'UTC' }).cron).toBe('0 3 * MAR-MAY *');
  expect(parseTimes({ cron: '0 3 * * TUE-THU', timeZone: 'UTC' }).cron).toBe('0 3 * * TUE-THU');
});

test.each([
  ['* * * *', 'UTC', /has 5 fields; "\* \* \* \*" has 4/],
  ['0 0 3 * * *', 'UTC', /has 6/],
  ['@daily', 'UTC', /has 1/],
  ['0 99 * * *', 'UTC', /"0 99 \* \* \*" is not a cron expression: .*99.*0-23/],
  ['0 0 31 2 *', 'UTC', /is not a cron expression/],
  ['H 3 * * *', 'UTC', /cannot contain H/],
  ['0 H(1-5) * * *', 'UTC', /cannot contain H/],
  ['0 3 * * *', 'Europe/Nowhere', /"Europe\/Nowhere" is not a time zone/],
])('%s in %s is refused', (cron, timeZone, message) => {
  expect(() => parseTimes({ cron, timeZone })).toThrow(message);
});
