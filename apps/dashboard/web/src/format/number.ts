const counts = new Intl.NumberFormat();
const percents = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const smallPercents = new Intl.NumberFormat(undefined, { style: 'percent', maximumSignificantDigits: 2 });
const SMALL = 0.01;

/** A whole number, with the viewer's separators. */
export function count(value: number): string {
  return counts.format(value);
}

/** `one row`, `312 rows`. @param many when it is not the word and an s */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** A part of a whole. @param part in [0, 1] */
export function percent(part: number): string {
  return (part > 0 && part < SMALL ? smallPercents : percents).format(part);
}

const DIGITS = 3;
const LEAST = 0.001;

/** A score: three digits, and never 0 or 1 without being that. */
export function score(value: number): string {
  if (value > 0 && value < LEAST / 2) return '<0.001';
  if (value < 1 && value > 1 - LEAST / 2) return '>0.999';
  return value.toFixed(DIGITS);
}

/** A threshold without zeros at its end: 0.5, 0.125. */
export function threshold(value: number): string {
  return String(Number(value.toFixed(4)));
}

const UNITS = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const STEP = 1000;

/** A size for people. @param bytes of it */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
