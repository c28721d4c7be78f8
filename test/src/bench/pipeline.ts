import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openGuard, Scorer } from '@tocsin/engine';
import { benchCorpus, distinctContents, writeCorpus } from './corpus.js';
import { line, percent, rate, seconds, section } from './report.js';

const ROWS = 600;

/** `tocsin score` with the embedded database and queue, relative to the engine alone on the same contents. */
export async function benchPipeline(dir: string, corpus: string | undefined): Promise<void> {
  section(`Pipeline: tocsin score, starter guard, ${ROWS} rows, embedded PostgreSQL and queue`);
  const rows = await benchCorpus(corpus, ROWS);
  const file = await writeCorpus(dir, rows);

  const before = await bareEngineMs(rows.map((row) => row.text));
  const { summary, ms } = await scoreCommand(
    [file, '--guard', 'starter', '--out', join(dir, 'scores.jsonl')],
    dir,
  );
  const after = await bareEngineMs(rows.map((row) => row.text));
  const bare = (before + after) / 2;

  line('bare engine before / after', `${seconds(before)} / ${seconds(after)}`);
  line('pipeline, worker start to last score', seconds(1000 * summary.scoringSeconds));
  line('pipeline, the whole command', seconds(ms));
  line('pipeline', rate(summary.fresh / summary.scoringSeconds, 'rows'));
  line('share of the bare engine', percent(bare / (1000 * summary.scoringSeconds)), '>= 90 %');
}

async function bareEngineMs(texts: string[]): Promise<number> {
  const guard = await openGuard('starter');
  const distinct = await distinctContents(guard, texts);
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  const started = performance.now();
  await scorer.score(distinct);
  const ms = performance.now() - started;
  await scorer.close();
  return ms;
}

const TOCSIN = fileURLToPath(new URL('../../../apps/tocsin/bin/tocsin.js', import.meta.url));

/** Fields of `tocsin score --json` that the benchmarks read. */
interface ScoreSummary {
  rows: number;
  /** Rows that needed a forward pass. */
  fresh: number;
  tokens: number;
  scoringSeconds: number;
}

/** Runs `tocsin score --json` with its own database. */
async function scoreCommand(args: string[], dir: string): Promise<{ summary: ScoreSummary; ms: number }> {
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
