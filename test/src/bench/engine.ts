import { openGuard, Scorer } from '@tocsin/engine';
import { benchCorpus } from './corpus.js';
import { distinctContents } from './distinct-contents.js';
import { usefulFlops } from './flops.js';
import { matmulFlops } from './matmul.js';
import { line, median, percent, rate, section } from './report.js';

const ROWS = 600;
const ROUNDS = 3;

/** The bare engine on mixed rows, as a share of what a plain MatMul reaches in the same minutes. */
export async function benchEngine(dir: string, corpus: string | undefined): Promise<void> {
  section(`Engine: starter guard, ${ROWS} rows of ${corpus === undefined ? 'the synthetic mix' : corpus}`);
  const guard = await openGuard('starter');
  const rows = await benchCorpus(corpus, ROWS);
  const distinct = await distinctContents(
    guard,
    rows.map((row) => row.text),
  );
  const tokens = distinct.reduce((sum, ids) => sum + ids.length, 0);
  const flops = distinct.reduce((sum, ids) => sum + usefulFlops(guard, ids.length), 0);

  const scorer = await Scorer.start(guard, { calibrateAfter: 0 });
  const shares: number[] = [];
  const elapsed: number[] = [];
  try {
    await scorer.score(distinct.slice(0, 32));
    for (let round = 0; round < ROUNDS; round++) {
      const before = await matmulFlops(dir);
      const started = performance.now();
      await scorer.score(distinct);
      const ms = performance.now() - started;
      const after = await matmulFlops(dir);
      elapsed.push(ms);
      shares.push(flops / (ms / 1000) / ((before + after) / 2));
      line(`round ${round + 1}: MatMul before / after`, `${gflops(before)} / ${gflops(after)}`);
    }
  } finally {
    await scorer.close();
  }
  const ms = median(elapsed);
  line('rows (distinct contents)', String(distinct.length));
  line('useful tokens', rate(tokens / (ms / 1000), 'tokens'));
  line('rows', rate(distinct.length / (ms / 1000), 'rows'));
  line('useful FLOP/s', gflops(flops / (ms / 1000)));
  line('share of a plain MatMul', percent(median(shares)), '>= 88 %');
  line('tokens a pass', String(Math.round(scorer.counts.tokens / scorer.counts.passes)));
}

const gflops = (flops: number): string => `${(flops / 1e9).toFixed(0)} GFLOP/s`;
