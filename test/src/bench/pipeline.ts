import { join } from 'node:path';
import { openGuard, prepareContents, Scorer, Tokenizer } from '@tocsin/engine';
import { benchCorpus, writeCorpus } from './corpus.js';
import { line, percent, rate, seconds, section } from './report.js';
import { scoreCommand } from './score-command.js';

const ROWS = 600;

/** `tocsin score` with the embedded database and queue, as a share of the bare engine on the same contents. */
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
  line('pipeline', rate(summary.scored / summary.scoringSeconds, 'rows'));
  line('share of the bare engine', percent(bare / (1000 * summary.scoringSeconds)), '>= 90 %');
}

async function bareEngineMs(texts: string[]): Promise<number> {
  const guard = await openGuard('starter');
  const tokenizer = await Tokenizer.open(guard.compiled.tokenizerFile, guard.artifact.maxLength);
  const contents = await prepareContents(tokenizer, texts);
  const distinct = new Map(contents.map((content) => [content.hash.toString('hex'), content.tokenIds]));
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  const started = performance.now();
  await scorer.score([...distinct.values()]);
  const ms = performance.now() - started;
  await scorer.close();
  return ms;
}
