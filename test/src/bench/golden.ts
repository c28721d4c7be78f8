import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Guard } from '@tocsin/engine';
import type { ContentInput } from '@tocsin/siren';
import { line, section } from './report.js';

const GOLDEN = fileURLToPath(new URL('../../fixtures/golden/', import.meta.url));
const GUARDS = ['llama-residual', 'llama31-ropescaled', 'qwen3-mlp', 'qwen3-residual'];

/** The largest difference to the reference's scores, over all content cases. */
export async function benchGolden(): Promise<void> {
  section('Golden: max |score - reference| in float32');
  for (const name of GUARDS) {
    const { cases } = JSON.parse(await readFile(`${GOLDEN}${name}/golden.json`, 'utf8')) as {
      cases: (ContentInput & { score: number })[];
    };
    const guard = await Guard.fromPretrained(`${GOLDEN}${name}/artifact`);
    const inputs = cases.map(({ text, prompt, response }) =>
      text === undefined ? { prompt, response } : { text },
    );
    const together = await guard.scoreBatch(inputs);
    let worst = 0;
    for (const [i, input] of inputs.entries()) {
      const alone = await guard.score(input);
      const reference = cases[i]?.score ?? Number.NaN;
      const batched = together[i]?.score ?? Number.NaN;
      worst = Math.max(worst, Math.abs(alone.score - reference), Math.abs(batched - reference));
    }
    await guard.close();
    line(`${name}, ${cases.length} cases, alone and in one batch`, worst.toExponential(1), '<= 1e-4');
  }
}
