import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { codeOf } from '@tocsin/core';
import type { Check } from '../checkup.js';
import { type Finding, note, ok } from '../finding.js';

const SUBJECT = 'processor';

export const processorCheck: Check = {
  subject: SUBJECT,
  look: async () => {
    const model = cpus()[0]?.model.trim() || 'unknown model';
    return [judgeProcessor(model, await cores(), await flags())];
  },
};

/** @param flags the processor's, as Linux lists them; undefined where they are not known */
export function judgeProcessor(
  model: string,
  cores: number,
  flags: ReadonlySet<string> | undefined,
): Finding {
  const what = `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  if (flags === undefined) return ok(SUBJECT, what);
  const has = (...names: string[]): boolean => names.some((name) => flags.has(name));
  if (!has('avx2')) {
    return note(
      SUBJECT,
      `${what}, without AVX2`,
      'Scoring works, several times slower: take a machine with AVX2.',
    );
  }
  const found = [
    'AVX2',
    ...(has('avx512f') ? ['AVX-512'] : []),
    ...(has('avx512_vnni', 'avx_vnni') ? ['VNNI'] : []),
  ];
  return ok(SUBJECT, `${what}, ${found.join(', ')}`);
}

/** The cores that may be used: a container may have fewer than the machine (cgroup v2), and parts of one. */
async function cores(): Promise<number> {
  const text = await readFile('/sys/fs/cgroup/cpu.max', 'utf8').catch(() => 'max');
  const [quota, period] = text.split(' ').map(Number);
  const allowed = quota !== undefined && period !== undefined ? quota / period : Number.NaN;
  return Number.isNaN(allowed) ? availableParallelism() : Math.min(allowed, availableParallelism());
}

/** Of x64 on Linux; elsewhere instruction sets go by other names, or are not told. */
async function flags(): Promise<Set<string> | undefined> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return undefined;
  try {
    const [, line] = /^flags\s*:\s*(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8')) ?? [];
    return line === undefined ? undefined : new Set(line.split(' '));
  } catch (error) {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'EACCES') return undefined;
    throw error;
  }
}
