const counts = new Intl.NumberFormat();
const percents = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const smallPercents = new Intl.NumberFormat(undefined, { style: 'percent', maximumSignificantDigits: 2 });
const SMALL = 0.01;

/** An integer with the viewer's separators. */
export function count(value: number): string {
  return counts.format(value);
}

/** `one row`, `312 rows`. @param many the plural, if it is not the word with an s */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A percentage. @param part in [0, 1] */
export function percent(part: number): string {
  return (part > 0 && part < SMALL ? smallPercents : percents).format(part);
}

const DIGITS = 3;
const LEAST = 0.001;

/** A score with three digits; shown as 0 or 1 only if exact. */
export function score(value: number): string {
  if (value > 0 && value < LEAST / 2) return '<0.001';
  if (value < 1 && value > 1 - LEAST / 2) return '>0.999';
  return value.toFixed(DIGITS);
}

/** A threshold without trailing zeros: 0.5, 0.125. */
export function threshold(value: number): string {
  return String(Number(value.toFixed(4)));
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const STEP = 1000;

/** A human-readable size. @param bytes the size */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

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

/** An estimated duration: `40 s`, `3 min`, `2 h 10 min`. @param seconds at least 0 */
export function duration(seconds: number): string {
  if (seconds < 90 * SECOND) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 90 * MINUTE) return `${Math.round(seconds / MINUTE)} min`;
  const hours = Math.floor(seconds / HOUR);
  const minutes = Math.round((seconds - hours * HOUR) / MINUTE);
  if (hours >= 48) return `${Math.round(seconds / DAY)} days`;
  return minutes === 0 ? `${hours} h` : `${hours} h ${minutes} min`;
}

/** A message as a sentence: capitalised, unless it starts with a name in code, and with a full stop. */
export function sentence(text: string): string {
  const trimmed = text.trim();
  const started = /^[a-z]+(?=[ ,:])/.test(trimmed)
    ? trimmed.charAt(0).toUpperCase() + trimmed.slice(1)
    : trimmed;
  return /[.!?\u2026]$/.test(started) || started === '' ? started : `${started}.`;
}
