import { readFile } from 'node:fs/promises';

/** Memory of a process (Linux), bytes. */
export interface Memory {
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
