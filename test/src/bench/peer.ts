import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { openGuard, Scorer } from '@tocsin/engine';
import { benchCorpus, writeCorpus } from './corpus.js';
import { tokenIdsOf } from './distinct-contents.js';
import { referenceGuard } from './reference-guard.js';
import { line, rate, section, times } from './report.js';

const ROWS = 64;
const SCRIPT = fileURLToPath(new URL('./reference.py', import.meta.url));

/** The reference runtime on the first rows in file order, against the engine on the same rows. */
export async function benchPeer(
  dir: string,
  corpus: string | undefined,
  python: string | undefined,
): Promise<void> {
  section(`Reference runtime: llm-siren, float32, batch 32, first ${ROWS} rows in file order`);
  if (python === undefined) {
    console.log('  not run: give a Python that has llm-siren 0.2.0 with --peer <python>');
    return;
  }
  const rows = await benchCorpus(corpus, ROWS);
  const file = await writeCorpus(dir, rows);
  const artifact = await referenceGuard(join(dir, 'reference'));

  const ours = await engineScores(rows.map((row) => row.text));
  const { stdout } = await promisify(execFile)(python, [SCRIPT, artifact, file], { maxBuffer: 1 << 26 });
  const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { seconds: number; scores: number[] };

  const worst = Math.max(
    ...ours.scores.map((score, i) => Math.abs(score - (theirs.scores[i] ?? Number.NaN))),
  );
  line('max |score - reference|', worst.toExponential(1), '<= 1e-4');
  line('reference', rate(rows.length / theirs.seconds, 'rows'));
  line('Tocsin engine', rate(rows.length / (ours.ms / 1000), 'rows'));
  line('ratio', times((1000 * theirs.seconds) / ours.ms), '>= 20 x');
}

async function engineScores(texts: string[]): Promise<{ scores: number[]; ms: number }> {
  const guard = await openGuard('starter');
  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  await scorer.score(await tokenIdsOf(guard, texts.slice(0, 2)));
  const started = performance.now();
  const outcomes = await scorer.score(await tokenIdsOf(guard, texts));
  const ms = performance.now() - started;
  await scorer.close();
  return { scores: outcomes.map((outcome) => outcome.score ?? Number.NaN), ms };
}
