/** Scores one text and prints a line of JSON. Arguments: the guard, and a cache directory. */
import { readdir, readFile } from 'node:fs/promises';
import { Guard } from '@tocsin/engine';

const [ref = '', cacheDir] = process.argv.slice(2);
const guard = await Guard.fromPretrained(ref, { cacheDir });
const { score } = await guard.score({ text: 'How do I bake bread?' });
console.log(JSON.stringify({ score, peakBytes: (await peakOf('self')) + (await peakOfChildren()) }));
await guard.close();

/** Peak resident memory (Linux), bytes. */
async function peakOf(pid: string): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return 1024 * Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? Number.NaN);
}

async function peakOfChildren(): Promise<number> {
  let peak = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent === process.pid) peak += await peakOf(pid);
  }
  return peak;
}
