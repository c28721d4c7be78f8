import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { RunBatch } from '../process/engine.js';
import { calibrate } from './calibrate.js';
import { type CostModel, costOf } from './plan-batches.js';

const VOCABULARY = 100;
const MAX_LENGTH = 512;

interface Device {
  costs: Omit<CostModel, 'budgetTokens'>;
  /** Beyond this many tokens each doubling slows a pass by `slowdown` (a cache is full). */
  best: number;
  slowdown: number;
}

interface Pass {
  tokens: number;
  longest: number;
  ms: number;
}

/** A device whose pass times follow the cost model, times a noise factor by pass number. */
function fakeRun(
  device: Device,
  noise: (pass: number) => number = () => 1,
): { run: RunBatch; passes: Pass[] } {
  const passes: Pass[] = [];
  const run: RunBatch = async (tokenIds, lengths) => {
    expect(tokenIds).toHaveLength(lengths.reduce((sum, length) => sum + length, 0));
    expect(tokenIds.every((id) => id >= 0 && id < VOCABULARY)).toBe(true);
    const longest = Math.max(...lengths);
    const ms = exactMs(device, lengths.length, tokenIds.length, longest) * noise(passes.length);
    passes.push({ tokens: tokenIds.length, longest, ms });
    return { scores: new Float32Array(lengths.length), runMs: ms };
  };
  return { run, passes };
}

function exactMs({ costs, best, slowdown }: Device, rows: number, tokens: number, longest: number): number {
  const doublings = Math.max(0, Math.log2(tokens / best));
  return costOf({ ...costs, budgetTokens: 0 }, rows, tokens, longest) * slowdown ** doublings;
}

const total = (passes: Pass[]): number => passes.reduce((sum, { ms }) => sum + ms, 0);

/** Whether costs are within `share` of the device's, for batches from a few rows to the budget. */
function expectCosts(model: CostModel, device: Device, share: number): void {
  for (const [rows, length] of [
    [1, 64],
    [4, 64],
    [16, 32],
    [2, 250],
    [1, 500],
  ] as const) {
    const exact = exactMs(device, rows, rows * length, length);
    const found = costOf(model, rows, rows * length, length);
    expect(Math.abs(found / exact - 1), `${rows} rows of ${length}`).toBeLessThan(share);
  }
}

/** Fast enough to stay within the time limits. */
const devices: fc.Arbitrary<Device> = fc.record({
  costs: fc.record({
    overheadMs: fc.double({ min: 0.1, max: 1, noNaN: true }),
    tokenMs: fc.double({ min: 0.005, max: 0.02, noNaN: true }),
    cellMs: fc.double({ min: 0.000001, max: 0.00002, noNaN: true }),
  }),
  best: fc.constantFrom(512, 1024, 2048),
  slowdown: fc.double({ min: 1.5, max: 2, noNaN: true }),
});

test('on a quiet machine: the fastest budget, and the costs', async () => {
  await fc.assert(
    fc.asyncProperty(devices, async (device) => {
      // Without a gain per token, the smaller batch is chosen.
      const perToken = (tokens: number) => exactMs(device, tokens / 64, tokens, 64) / tokens;
      fc.pre(perToken(device.best / 2) > perToken(device.best) * 1.01);
      const model = await calibrate(fakeRun(device).run, VOCABULARY, MAX_LENGTH);
      expect(model.budgetTokens).toBe(device.best);
      expectCosts(model, device, 0.03);
    }),
  );
});

test('on a machine that does other work too: every second pass is slow, and the same is found', async () => {
  const noisy = fc.array(fc.double({ min: 1, max: 2, noNaN: true }), { minLength: 30, maxLength: 30 });
  await fc.assert(
    fc.asyncProperty(devices, noisy, fc.integer({ min: 0, max: 1 }), async (device, slowness, odd) => {
      const quiet = await calibrate(fakeRun(device).run, VOCABULARY, MAX_LENGTH);
      const noise = (pass: number) => (pass % 2 === odd ? (slowness[pass] ?? 1) : 1);
      expect(await calibrate(fakeRun(device, noise).run, VOCABULARY, MAX_LENGTH)).toEqual(quiet);
    }),
  );
});

test('a device that is fastest with the smallest batches still has an overhead', async () => {
  const device = { costs: { overheadMs: 8, tokenMs: 0.1, cellMs: 0.0001 }, best: 256, slowdown: 3 };
  const model = await calibrate(fakeRun(device).run, VOCABULARY, MAX_LENGTH);
  expect(model.budgetTokens).toBe(MAX_LENGTH);
  expect(model.overheadMs).toBeCloseTo(8, 6);
});

test.each([1, 5, 40])(
  'a device of %i ms a token is not asked for more than it can give in seconds',
  async (tokenMs) => {
    const device = { costs: { overheadMs: 20, tokenMs, cellMs: 0.0005 * tokenMs }, best: 4096, slowdown: 1 };
    const { run, passes } = fakeRun(device);
    const model = await calibrate(run, VOCABULARY, MAX_LENGTH);
    const needed = passes.filter(({ tokens }) => tokens <= 256 && tokens !== 64).slice(0, 1);
    expect(total(passes) - total(needed)).toBeLessThan(9000);
    expect(Math.max(...passes.map(({ longest }) => longest))).toBeLessThanOrEqual(MAX_LENGTH);
    expect(model.budgetTokens).toBe(tokenMs === 1 ? 1024 : MAX_LENGTH);
    expect(Math.abs(model.tokenMs / tokenMs - 1)).toBeLessThan(0.05);
  },
);

test('a guard of short texts has no row longer than those', async () => {
  const device = { costs: { overheadMs: 5, tokenMs: 0.1, cellMs: 0 }, best: 1024, slowdown: 1.2 };
  const { run, passes } = fakeRun(device);
  const model = await calibrate(run, VOCABULARY, 16);
  expect(Math.max(...passes.map(({ longest }) => longest))).toBe(16);
  expect(model).toMatchObject({ budgetTokens: 1024, cellMs: 0 });
});

test('however much else the machine does meanwhile, a token costs something', async () => {
  const spikes = fc.array(fc.double({ min: 1, max: 100, noNaN: true }), { minLength: 40, maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(devices, spikes, async (device, noise) => {
      const { run } = fakeRun(device, (pass) => noise[pass % noise.length] ?? 1);
      const model = await calibrate(run, VOCABULARY, MAX_LENGTH);
      expect(model.tokenMs).toBeGreaterThan(0);
      expect(model.overheadMs).toBeGreaterThanOrEqual(0);
      expect(model.cellMs).toBeGreaterThanOrEqual(0);
    }),
  );
});
