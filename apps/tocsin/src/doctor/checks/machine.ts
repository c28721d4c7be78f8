import { readFile } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { codeOf } from '@tocsin/core';
import { bytesText } from '@tocsin/models';
import { type Check, type Finding, note, ok, problem } from '../checkup.js';

const NODE = 'Node.js';
/** The same as `engines` in package.json. */
const LEAST = 20;

export const nodeCheck: Check = { subject: NODE, look: () => [judgeNode(process.versions.node)] };

export function judgeNode(version: string): Finding {
  const says = `${version} on ${process.platform} ${process.arch}`;
  if (Number(version.split('.')[0]) >= LEAST) return ok(NODE, says);
  return problem(NODE, says, `Install Node.js ${LEAST} or newer.`);
}

const PROCESSOR = 'processor';

export const processorCheck: Check = {
  subject: PROCESSOR,
  look: async () => {
    const model = cpus()[0]?.model.trim() || 'unknown model';
    return [judgeProcessor(model, await cores(), await flags())];
  },
};

/** @param flags CPU flags as Linux lists them; undefined when unknown */
export function judgeProcessor(
  model: string,
  cores: number,
  flags: ReadonlySet<string> | undefined,
): Finding {
  const what = `${model}, ${cores} ${cores === 1 ? 'core' : 'cores'}`;
  if (flags === undefined) return ok(PROCESSOR, what);
  const has = (...names: string[]): boolean => names.some((name) => flags.has(name));
  if (!has('avx2')) {
    return note(
      PROCESSOR,
      `${what}, without AVX2`,
      'Scoring works, but is several times slower. Use a machine with AVX2.',
    );
  }
  const found = [
    'AVX2',
    ...(has('avx512f') ? ['AVX-512'] : []),
    ...(has('avx512_vnni', 'avx_vnni') ? ['VNNI'] : []),
  ];
  return ok(PROCESSOR, `${what}, ${found.join(', ')}`);
}

/** Quota and period of a container's CPU time, in one file (cgroup v2) or in two (v1). */
const CPU_V2 = '/sys/fs/cgroup/cpu.max';
const CPU_V1 = ['/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu/cpu.cfs_period_us'];

/** Usable cores: a container may have fewer than the machine, including fractions. */
async function cores(): Promise<number> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  const text = (await read(CPU_V2)) || (await Promise.all(CPU_V1.map(read))).join(' ');
  return Math.min(allowedCores(text) ?? Number.POSITIVE_INFINITY, availableParallelism());
}

/** @param text quota and period in microseconds; a quota of `max` (v2) or -1 (v1) is no limit */
export function allowedCores(text: string): number | undefined {
  const [quota = Number.NaN, period = Number.NaN] = text.trim().split(/\s+/).map(Number);
  return quota > 0 && period > 0 ? quota / period : undefined;
}

/** x64 Linux only; other platforms name instruction sets differently, or do not report them. */
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

const MEMORY = 'memory';
/** The starter guard in float32 (0.6 GB), its command, and the embedded database. */
const COMFORTABLE = 2e9;

/** Memory limits of a container or unit: cgroup v2 and v1. */
const LIMIT_FILES = ['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'];

export const memoryCheck: Check = {
  subject: MEMORY,
  look: async () => [judgeMemory(totalmem(), freemem(), await limit())],
};

/** @param limit of the container, bytes; undefined without one */
export function judgeMemory(total: number, free: number, limit: number | undefined): Finding {
  const usable = Math.min(total, limit ?? total);
  const inContainer = limit !== undefined && limit < total;
  const says = `${bytesText(total)}, ${bytesText(free)} free${inContainer ? `; limited to ${bytesText(limit)}` : ''}`;
  if (usable >= COMFORTABLE) return ok(MEMORY, says);
  return note(
    MEMORY,
    says,
    'Scoring may run out of memory. Allow 2 GB, or use less for weights: --precision int8.',
  );
}

async function limit(): Promise<number | undefined> {
  for (const file of LIMIT_FILES) {
    const text = await readFile(file, 'utf8').catch(() => 'max');
    // Unlimited: `max`, or in v1 a number larger than any machine's memory.
    if (/^\d+\s*$/.test(text)) return Number(text);
  }
  return undefined;
}
