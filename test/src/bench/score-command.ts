import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TOCSIN = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));

/** The fields of `tocsin score --json` that the benchmarks read. */
export interface ScoreSummary {
  rows: number;
  /** Rows that a forward pass was made for. */
  fresh: number;
  tokens: number;
  scoringSeconds: number;
}

/** Runs `tocsin score --json` with a database of its own. */
export async function scoreCommand(
  args: string[],
  dir: string,
): Promise<{ summary: ScoreSummary; ms: number }> {
  const started = performance.now();
  const child = spawn(
    process.execPath,
    [TOCSIN, 'score', ...args, '--json', '--data-dir', join(dir, 'postgres')],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, DATABASE_URL: '', REDIS_URL: '' },
    },
  );
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0 && code !== 2) throw new Error(`tocsin score ended with ${code}`);
  return { summary: JSON.parse(out) as ScoreSummary, ms: performance.now() - started };
}
