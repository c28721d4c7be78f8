import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shortRows, writeCorpus } from './corpus.js';
import { line, rate, section } from './report.js';

const ROWS = 1_000_000;
const SUBMIT_ONLY = fileURLToPath(new URL('./submit-only.js', import.meta.url));

/** A million short rows into the store and the queue, in a separate process. */
export async function benchProducer(dir: string): Promise<void> {
  section(`Producer: ${ROWS.toLocaleString('en-US')} short rows, embedded PostgreSQL and queue`);
  const corpus = await writeCorpus(dir, shortRows(ROWS));
  // With texts first, as with `--retain flagged`, the default.
  for (const texts of [true, false]) {
    const { rows, ms, peakBytes } = await submitOnly(corpus, join(dir, `producer-${texts}`), texts);
    const how = texts ? 'with texts' : 'without texts';
    line(`rate, ${how}`, rate(rows / (ms / 1000), 'rows'));
    line(`resident memory of the producer, peak, ${how}`, `${(peakBytes / 1e6).toFixed(0)} MB`, '<= 400 MB');
  }
}

async function submitOnly(
  corpus: string,
  dataDir: string,
  texts: boolean,
): Promise<{ rows: number; ms: number; peakBytes: number }> {
  const args = [SUBMIT_ONLY, corpus, dataDir, ...(texts ? ['texts'] : [])];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  if (code !== 0) throw new Error(`the producer ended with ${code}`);
  return JSON.parse(out) as { rows: number; ms: number; peakBytes: number };
}
