import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Guard, type Item } from '@tocsin/engine';
import { line, section } from './report.js';

const GOLDEN = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url));
const GUARDS = ['llama-residual', 'llama31-ropescaled', 'qwen3-mlp', 'qwen3-residual', 'qwen3-agent'];

interface GoldenFile {
  cases: (Record<string, unknown> & { score: number })[];
  stream?: { prefix: string; score: number }[];
}

/** The largest difference from the reference's scores over all golden vectors. */
export async function benchGolden(): Promise<void> {
  section('Golden: max |score - reference| in float32');
  for (const name of GUARDS) {
    const golden = JSON.parse(await readFile(`${GOLDEN}${name}/golden.json`, 'utf8')) as GoldenFile;
    const guard = await Guard.fromPretrained(`${GOLDEN}${name}/artifact`);
    const { length } = golden.cases;
    show(`${name}, ${length} cases, alone and in one batch`, await scored(guard, golden));
    show(`${name}, ${length} traces`, await traced(guard, golden));
    if (golden.stream !== undefined) {
      show(`${name}, ${golden.stream.length} streamed prefixes`, await streamed(guard, golden.stream));
    }
    await guard.close();
  }
}

const show = (name: string, worst: number): void => line(name, worst.toExponential(1), '<= 1e-4');

async function scored(guard: Guard, { cases }: GoldenFile): Promise<number> {
  const together = await guard.scoreBatch(cases.map(itemOf));
  let worst = 0;
  for (const [i, one] of cases.entries()) {
    const alone = await guard.score(itemOf(one));
    const batched = together[i]?.score ?? Number.NaN;
    worst = Math.max(worst, Math.abs(alone.score - one.score), Math.abs(batched - one.score));
  }
  return worst;
}

async function traced(guard: Guard, { cases }: GoldenFile): Promise<number> {
  const traces = await Promise.all(cases.map((one) => guard.trace(itemOf(one))));
  return Math.max(...traces.map(({ score }, i) => Math.abs(score - (cases[i]?.score ?? Number.NaN))));
}

async function streamed(guard: Guard, entries: { prefix: string; score: number }[]): Promise<number> {
  const stream = guard.stream();
  let worst = 0;
  let before = '';
  for (const { prefix, score } of entries) {
    const result = await stream.push(prefix.slice(before.length));
    worst = Math.max(worst, Math.abs(result.score - score));
    before = prefix;
  }
  await stream.close();
  return worst;
}

function itemOf({ text, prompt, response, messages, tools }: Record<string, unknown>): Item {
  if (messages !== undefined) return { messages, tools } as Item;
  return (text === undefined ? { prompt, response } : { text }) as Item;
}
