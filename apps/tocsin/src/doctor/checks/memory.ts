import { readFile } from 'node:fs/promises';
import { freemem, totalmem } from 'node:os';
import { bytesText } from '@tocsin/models';
import type { Check } from '../checkup.js';
import { type Finding, note, ok } from '../finding.js';

const SUBJECT = 'memory';
/** The starter guard in float32 (0.6 GB), its command, and the embedded database. */
const COMFORTABLE = 2e9;

/** Limits of a container or unit, where there are some: cgroup v2 and v1. */
const LIMIT_FILES = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

export const memoryCheck: Check = {
  subject: SUBJECT,
  look: async () => [judgeMemory(totalmem(), freemem(), await limit())],
};

/** @param limit of the container, bytes; undefined where there is none */
export function judgeMemory(total: number, free: number, limit: number | undefined): Finding {
  const usable = Math.min(total, limit ?? total);
  const inContainer = limit !== undefined && limit < total;
  const says = `${bytesText(total)}, ${bytesText(free)} free${inContainer ? `; limited to ${bytesText(limit)}` : ''}`;
  if (usable >= COMFORTABLE) return ok(SUBJECT, says);
  return note(
    SUBJECT,
    says,
    'Scoring may be killed for memory. Give it 2 GB, or hold weights in less: --precision int8.',
  );
}

async function limit(): Promise<number | undefined> {
  for (const file of LIMIT_FILES) {
    const text = await readFile(file, 'utf8').catch(() => 'max');
    // Without a limit: `max`, or in version 1 a number beyond any machine.
    if (/^\d+\s*$/.test(text)) return Number(text);
  }
  return undefined;
}
