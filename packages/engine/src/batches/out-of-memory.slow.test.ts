import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isUserError } from '@tocsin/core';
import { goldenDirs, tempDir } from '@tocsin/siren/testing';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type OpenGuard, openGuard } from '../compiled/open-guard.js';
import { startFaulty } from '../testing/stand-in.js';
import { saysOutOfMemory } from './out-of-memory.js';
import { UNMEASURED } from './plan-batches.js';
import { Scorer } from './scorer.js';

/** Messages of onnxruntime 1.30 and the libraries below it. */
const MESSAGES = [
  "Non-zero status code returned while running FusedMatMul node. Name:'n12_FusedMatMul' Status Message: /onnxruntime_src/onnxruntime/core/framework/bfc_arena.cc:376 void* onnxruntime::BFCArena::AllocateRawInternal(size_t, bool, onnxruntime::Stream*) Failed to allocate memory for requested buffer of size 1610612736",
  'CUDA failure 2: out of memory ; GPU=0 ; hostname=host ; file=/onnxruntime_src/onnxruntime/core/providers/cuda/cuda_allocator.cc ; line=74 ; expr=cudaMalloc((void**)&p, size);',
  'CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0 ; expr=cublasCreate(&cublas_handle_);',
  'CUDNN failure 4000: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED ; GPU=0',
  'WebGPU device lost (1): VK_ERROR_OUT_OF_DEVICE_MEMORY',
  'std::bad_alloc',
];

test.each(MESSAGES)('%s', (saying) => {
  expect(saysOutOfMemory(saying)).toBe(true);
});

test.each([
  "Non-zero status code returned while running Gather node. Name:'n1' Status Message: indices element out of data bounds, idx=1000000 must be within the inclusive range [-400,399]",
  'CUDA failure 700: an illegal memory access was encountered ; GPU=0',
  'row 3 of the batch scored NaN, which is no probability',
  'CUDA failure 222: the provided PTX was compiled with an unsupported toolchain',
])('not of memory: %s', (saying) => {
  expect(saysOutOfMemory(saying)).toBe(false);
});

const temp = tempDir();
let guard: OpenGuard;
const scorers: Scorer[] = [];
const LENGTH = 20;
const rows = Array.from({ length: 60 }, (_, row) =>
  Int32Array.from({ length: LENGTH }, (_, i) => 3 + ((row * 31 + i * 7) % 300)),
);
let expected: (number | undefined)[] = [];

beforeAll(async () => {
  guard = await openGuard(goldenDirs('llama-residual').artifact, { cacheDir: join(temp, 'cache') });
  const scorer = await Scorer.start(guard);
  expected = (await scorer.score(rows)).map(({ score }) => score);
  await scorer.close();
});
afterEach(async () => {
  await Promise.all(scorers.splice(0).map((scorer) => scorer.close()));
});

async function start(
  ...args: Parameters<typeof startFaulty> extends [unknown, ...infer Rest] ? Rest : never
) {
  const scorer = await startFaulty(guard, ...args);
  scorers.push(scorer);
  return scorer;
}

function expectAllScored(outcomes: Awaited<ReturnType<Scorer['score']>>): void {
  expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
  for (const [i, { score }] of outcomes.entries()) expect(score).toBeCloseTo(expected[i] ?? Number.NaN, 4);
}

describe.each(MESSAGES.slice(0, 2))('an engine process that says: %s', (saying) => {
  test('every row has its score, in smaller batches from then on, by another process', async () => {
    const [budgets, restarts]: [number[], string[]] = [[], []];
    const scorer = await start(
      { saying, maxTokens: 5 * LENGTH },
      { onBudget: (tokens) => budgets.push(tokens), onRestart: (reason) => restarts.push(reason) },
    );
    expectAllScored(await scorer.score(rows));
    expect(scorer.costModel.budgetTokens).toBeLessThanOrEqual(5 * LENGTH);
    expect(budgets).toEqual(budgets.toSorted((a, b) => b - a));
    expect(restarts.length).toBeGreaterThan(0);
    for (const reason of restarts) expect(reason).toContain('(out of memory)');
    const before = scorer.counts.passes;
    expectAllScored(await scorer.score(rows));
    // Batches known not to fit are not tried.
    const [known] = [restarts.length];
    expect(scorer.counts.passes).toBeGreaterThan(before);
    expectAllScored(await scorer.score(rows));
    expect(restarts).toHaveLength(known);
  });
});

test('a single row that does not fit ends the scoring with a sentence, and is not recorded as bad', async () => {
  const scorer = await start({ saying: MESSAGES[1] ?? '', maxTokens: LENGTH - 1 });
  const scoring = scorer.score(rows.slice(0, 3));
  await expect(scoring).rejects.toThrow(
    'the device has no memory left for a single row of 20 tokens: CUDA failure 2',
  );
  await expect(scoring).rejects.toSatisfy(isUserError);
});

test('a guard that does not fit when it is loaded: what it needs and what is free', async () => {
  const starting = start({ saying: MESSAGES[1] ?? '' });
  await expect(starting).rejects.toThrow(
    /^device cpu has not enough memory for this guard: its weights alone take [\d.]+ [kMG]?B, and [\d.]+ [kMG]?B are free$/,
  );
  await expect(starting).rejects.toSatisfy(isUserError);
});

test('calibration stops where memory does, and what it kept is lowered when that is too much later', async () => {
  const { dir } = guard.compiled;
  const costs = async (): Promise<string[]> => (await readdir(dir)).filter((name) => name.startsWith('cost'));
  for (const name of await costs()) await rm(join(dir, name));
  const saying = MESSAGES[0] ?? '';
  const scorer = await start({ saying, maxTokens: 600 }, { calibrateAfter: 0 });
  expect(scorer.costModel).not.toEqual(UNMEASURED);
  expect(scorer.costModel.budgetTokens).toBeLessThanOrEqual(600);
  const [file = ''] = await costs();
  const kept = JSON.parse(await readFile(join(dir, file), 'utf8')) as { model: { budgetTokens: number } };
  await writeFile(join(dir, file), JSON.stringify({ ...kept, model: { ...kept.model, budgetTokens: 4000 } }));
  const second = await start({ saying, maxTokens: 300 });
  expectAllScored(await second.score(rows));
  await expect
    .poll(async () => JSON.parse(await readFile(join(dir, file), 'utf8')) as typeof kept)
    .toMatchObject({ model: { budgetTokens: second.costModel.budgetTokens } });
  for (const name of await costs()) await rm(join(dir, name));
});

test.skipIf(process.platform !== 'linux')(
  'a process whose address space is limited: a real allocation fails, no row does',
  async () => {
    const long = Array.from({ length: 40 }, () => Int32Array.from({ length: 512 }, (_, i) => 3 + (i % 300)));
    const restarts: string[] = [];
    const scorer = await start(
      { addressSpace: 48 * 2 ** 20 },
      { costModel: { ...UNMEASURED, budgetTokens: 40 * 512 }, onRestart: (reason) => restarts.push(reason) },
    );
    const outcomes = await scorer.score(long);
    expect(outcomes.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(restarts.join()).toContain('(out of memory)');
    expect(scorer.costModel.budgetTokens).toBeLessThan(40 * 512);
  },
);
