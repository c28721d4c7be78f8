import { readFile } from 'node:fs/promises';

/** One line of a benchmark's output with its target. */
export function line(name: string, value: string, target = ''): void {
  console.log(`  ${name.padEnd(44)}${value.padStart(18)}${target === '' ? '' : `   (target ${target})`}`);
}

export function section(title: string): void {
  console.log(`\n${title}`);
}

/** Aligned columns: the first to the left, numbers to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, i) =>
      i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0),
    );
    console.log(`  ${cells.join('  ')}`);
  }
}

export const millis = (ms: number): string => `${ms.toFixed(1)} ms`;
export const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`;
export const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
export const times = (ratio: number, digits = 1): string => `${ratio.toFixed(digits)} x`;
export const rate = (perSecond: number, what: string): string =>
  `${perSecond >= 100 ? Math.round(perSecond).toLocaleString('en-US') : perSecond.toFixed(2)} ${what}/s`;

export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  if (middle === undefined) throw new RangeError('the median of nothing');
  return middle;
}

/** @param share 0.5 for the median, 0.99 for the 99th percentile */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  if (value === undefined) throw new RangeError('a quantile of nothing');
  return value;
}

/** Memory of a process (Linux), bytes. */
interface Memory {
  /** Resident now, and peak. */
  resident: number;
  peak: number;
  /** The anonymous part of `resident`; the rest are file pages that the system can drop. */
  own: number;
}

/** @param pid of a process, or `self` */
export async function memoryOf(pid: number | 'self'): Promise<Memory> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const field = (name: string): number =>
    1024 * Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? Number.NaN);
  return { resident: field('VmRSS'), peak: field('VmHWM'), own: field('RssAnon') };
}
