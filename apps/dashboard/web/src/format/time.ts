const SECOND = 1;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const moments = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const days = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' });
const exactMoments = new Intl.DateTimeFormat(undefined, { dateStyle: 'full', timeStyle: 'long' });
const relative = new Intl.RelativeTimeFormat(undefined, { numeric: 'auto' });

/** Date and time in the viewer's zone. @param iso ISO 8601 */
export function moment(iso: string): string {
  return moments.format(new Date(iso));
}

/** The same, with the zone's name. */
export function exactMoment(iso: string): string {
  return exactMoments.format(new Date(iso));
}

/** `3 minutes ago`, `in 2 hours`; a date when it is more than a week away. @param now milliseconds */
export function ago(iso: string, now = Date.now()): string {
  const seconds = (new Date(iso).getTime() - now) / 1000;
  const away = Math.abs(seconds);
  if (away < 45 * SECOND) return relative.format(0, 'second');
  if (away < HOUR) return relative.format(Math.round(seconds / MINUTE), 'minute');
  if (away < DAY) return relative.format(Math.round(seconds / HOUR), 'hour');
  if (away < 7 * DAY) return relative.format(Math.round(seconds / DAY), 'day');
  return days.format(new Date(iso));
}

/** `40 s`, `3 min`, `2 h 10 min`: as exact as a guess may be. @param seconds at least 0 */
export function duration(seconds: number): string {
  if (seconds < 90 * SECOND) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * MINUTE) return `${Math.round(seconds / MINUTE)} min`;
  const hours = Math.floor(seconds / HOUR);
  const minutes = Math.round((seconds - hours * HOUR) / MINUTE);
  if (hours >= 48) return `${Math.round(seconds / DAY)} days`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}
