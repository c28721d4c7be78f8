import { existsSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { scoreCommand } from './score/command.js';

/** In the npm package the samples are next to `dist`, in a checkout at the root. */
const SAMPLES = ['../samples/', '../../../samples/'].map((path) =>
  fileURLToPath(new URL(path, import.meta.url)),
);
const SAMPLE = join(SAMPLES.find((directory) => existsSync(directory)) ?? 'samples', 'corpus.jsonl');
const OUT_DIR = 'out';
const TOP_ROWS = 8;
const SHOWN_CHARACTERS = 72;

/** `tocsin quickstart` scores the sample corpus into `out/` of the current directory and prints the highest scores. */
export function quickstartCommand(): Command {
  return new Command('quickstart')
    .description('Score the sample corpus with the starter guard and show the highest scores')
    .action(quickstart);
}

async function quickstart(): Promise<void> {
  await mkdir(OUT_DIR, { recursive: true });
  const out = join(OUT_DIR, 'quickstart.jsonl');
  console.error(`Scoring ${relative(process.cwd(), SAMPLE)} with the starter guard.\n`);
  await scoreCommand().parseAsync([SAMPLE, '--guard', 'starter', '--out', out], { from: 'user' });
  if (process.exitCode !== undefined && process.exitCode !== 0) return;
  await printTopRows(out);
  console.log(`\nAll scores: ${relative(process.cwd(), out)}`);
  console.log('Score your own:  npx tocsin score your.jsonl --guard starter --out scores.jsonl');
}

async function printTopRows(out: string): Promise<void> {
  const texts = new Map<string, string>();
  for (const [i, row] of (await readRows(SAMPLE)).entries()) {
    texts.set(String(row.id ?? i + 1), [row.text, row.prompt, row.response].filter(Boolean).join(' / '));
  }
  const scored = (await readRows(out)) as unknown as { key: string; score: number }[];
  console.log('\nThe highest scores:');
  for (const { key, score } of scored.sort((a, b) => b.score - a.score).slice(0, TOP_ROWS)) {
    const text = (texts.get(key) ?? '').replace(/\s+/g, ' ');
    const shown = text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS - 1)}…` : text;
    console.log(`  ${score.toFixed(3)}  ${key.padEnd(14)} ${shown}`);
  }
}

async function readRows(file: string): Promise<Record<string, string | undefined>[]> {
  const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line.trim() !== '');
  return lines.map((line) => JSON.parse(line) as Record<string, string | undefined>);
}
