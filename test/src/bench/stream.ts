import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Guard, openGuard, Tokenizer } from '@tocsin/engine';
import { benchCorpus } from './corpus.js';
import { referenceGuard } from './peer.js';
import { line, median, seconds, section, times } from './report.js';

const TOKENS = 532;
const CHUNK = 16;
const SCRIPT = fileURLToPath(new URL('../../src/bench/reference_stream.py', import.meta.url));

/** A text of 532 tokens pushed 16 tokens at a time, compared with the reference runtime on the same prefixes. */
export async function benchStream(
  dir: string,
  corpus: string | undefined,
  python: string | undefined,
): Promise<void> {
  section(`Streaming: ${TOKENS} tokens in chunks of ${CHUNK}, starter guard`);
  const prefixes = await prefixesOf(corpus);
  const ours = await pushAll(prefixes);
  const total = ours.ms.reduce((sum, ms) => sum + ms, 0);
  // The guard reads 512 tokens: chunks after those cost nothing, and are omitted.
  const costly = ours.ms.slice(0, 512 / CHUNK);
  line('all chunks', seconds(total));
  const first = median(costly.slice(0, 3));
  const last = median(costly.slice(-3));
  line('first chunks, last chunks (median of 3)', `${first.toFixed(0)} ms, ${last.toFixed(0)} ms`);
  line('last over first', times(last / first), '<= 2 x');
  if (python === undefined) {
    console.log('  reference not run: give a Python that has llm-siren 0.2.0 with --peer <python>');
    return;
  }
  const file = join(dir, 'prefixes.json');
  await writeFile(file, JSON.stringify(prefixes));
  const artifact = await referenceGuard(join(dir, 'reference-stream'));
  const { stdout } = await promisify(execFile)(python, [SCRIPT, artifact, file], { maxBuffer: 1 << 26 });
  const theirs = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as { seconds: number; scores: number[] };
  const worst = Math.max(
    ...ours.scores.map((score, i) => Math.abs(score - (theirs.scores[i] ?? Number.NaN))),
  );
  line('max |score - reference|', worst.toExponential(1), '<= 1e-4');
  line(`reference, ${prefixes.length} calls`, seconds(1000 * theirs.seconds));
  line('ratio', times((1000 * theirs.seconds) / total), '>= 20 x');
}

/** A long text of the corpus, cut at token boundaries. */
async function prefixesOf(corpus: string | undefined): Promise<string[]> {
  const { compiled, artifact } = await openGuard('starter');
  const tokenizer = await Tokenizer.open(compiled.tokenizerFile, artifact.maxLength);
  const rows = await benchCorpus(corpus, 500);
  const text = rows
    .map((row) => row.text)
    .join(' ')
    .slice(0, 8 * TOKENS);
  const { spans } = await tokenizer.encodeSpans(text);
  const ends = spans.slice(0, TOKENS).map(({ end }) => end);
  if (ends.length < TOKENS) throw new Error(`the corpus has only ${ends.length} tokens`);
  return ends.filter((_, i) => (i + 1) % CHUNK === 0 || i === TOKENS - 1).map((end) => text.slice(0, end));
}

async function pushAll(prefixes: string[]): Promise<{ ms: number[]; scores: number[] }> {
  const guard = await Guard.fromPretrained('starter', { load: 'prefixes' });
  const warm = guard.stream();
  await warm.push('A first pass sets up threads and memory.');
  await warm.close();
  const stream = guard.stream();
  const ms: number[] = [];
  const scores: number[] = [];
  for (const [i, prefix] of prefixes.entries()) {
    const started = performance.now();
    const { score } = await stream.push(prefix.slice(prefixes[i - 1]?.length ?? 0));
    ms.push(performance.now() - started);
    scores.push(score);
  }
  await guard.close();
  return { ms, scores };
}
