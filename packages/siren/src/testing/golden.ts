import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NamedBytes } from '../artifact/head-tensors.js';
import type { ContentInput } from '../text/content.js';
import type { TrajectoryInput } from '../trajectory/render-trajectory.js';

/** The golden content guards: each an artifact, a tiny backbone, and the reference's results. */
export const CONTENT_GUARDS = [
  'llama-residual',
  'llama31-ropescaled',
  'qwen3-mlp',
  'qwen3-residual',
] as const;
export type GoldenGuard = (typeof CONTENT_GUARDS)[number];

/** One text, or prompt and response, and the reference's numbers for it. */
export interface GoldenCase {
  input: ContentInput;
  cleaned: string;
  tokenIds: number[];
  score: number;
}

const GOLDEN = fileURLToPath(new URL('../../../../test/fixtures/golden/', import.meta.url));

/** Directories of a golden guard. `qwen3-agent` is the one that scores trajectories. */
export function goldenDirs(guard: GoldenGuard | 'qwen3-agent'): { artifact: string; backbone: string } {
  return { artifact: join(GOLDEN, guard, 'artifact'), backbone: join(GOLDEN, guard, 'backbone') };
}

/** The two files of a golden artifact, read. */
export function goldenArtifact(guard: GoldenGuard | 'qwen3-agent'): {
  config: NamedBytes;
  weights: NamedBytes;
} {
  const { artifact } = goldenDirs(guard);
  const read = (file: string): NamedBytes => ({ file, bytes: readFileSync(join(artifact, file)) });
  return { config: read('siren_config.json'), weights: read('siren.safetensors') };
}

/** Every case of a golden guard, in the file's order. */
export function goldenCases(guard: GoldenGuard): GoldenCase[] {
  const golden = JSON.parse(readFileSync(join(GOLDEN, guard, 'golden.json'), 'utf8')) as {
    cases: { text?: string; prompt?: string; response?: string; [numbers: string]: unknown }[];
  };
  return golden.cases.map(({ text, prompt, response, cleaned, token_ids, score }) => ({
    input: text === undefined ? { prompt, response } : { text },
    cleaned: cleaned as string,
    tokenIds: token_ids as number[],
    score: score as number,
  }));
}

/** Prefixes of one growing text, and the reference's score of each. */
export function goldenStream(guard: GoldenGuard): { prefix: string; score: number }[] {
  const golden = JSON.parse(readFileSync(join(GOLDEN, guard, 'golden.json'), 'utf8')) as {
    stream: { prefix: string; score: number }[];
  };
  return golden.stream;
}

/** One trajectory and the reference's results. */
export interface GoldenTrajectory {
  input: TrajectoryInput;
  rendered: string;
  tokenIds: number[];
  /** Alone. */
  score: number;
  /** With the other cases in one padded batch. */
  batchScore: number;
}

/** Every case of `qwen3-agent`, in the file's order. */
export function goldenTrajectories(): GoldenTrajectory[] {
  const golden = JSON.parse(readFileSync(join(GOLDEN, 'qwen3-agent', 'golden.json'), 'utf8')) as {
    cases: { messages: object[]; tools: object[] | null; [made: string]: unknown }[];
    batch_scores: number[];
  };
  return golden.cases.map(({ messages, tools, rendered, token_ids, score }, i) => ({
    input: { messages, tools },
    rendered: rendered as string,
    tokenIds: token_ids as number[],
    score: score as number,
    batchScore: golden.batch_scores[i] ?? Number.NaN,
  }));
}
