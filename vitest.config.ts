import { defineConfig } from 'vitest/config';

const TESTS = [
  'packages/*/src/**/*.test.ts',
  'apps/*/src/**/*.test.ts',
  'apps/dashboard/server/**/*.test.ts',
  'apps/dashboard/web/src/**/*.test.ts',
  'test/src/**/*.test.ts',
];
/** What takes a file longer than about half a minute: chaos, kills, every precision, the whole page, installed packages. */
const SLOW = '**/*.slow.test.ts';

export default defineConfig({
  test: {
    globalSetup: 'test/src/setup/global-setup.ts',
    reporters: ['default', './test/src/setup/slowest-files.ts'],
    // Native modules (onnxruntime, tokenizers) and child processes want a process, not a thread.
    pool: 'forks',
    maxWorkers: 2,
    // A limit for what hangs, not for what is slow: CI machines are shared.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    // One second if not given: too short where commands start processes beside other tests.
    expect: { poll: { timeout: 300_000 } },
    projects: [
      { extends: true, test: { name: 'fast', include: TESTS, exclude: [SLOW, '**/node_modules/**'] } },
      { extends: true, test: { name: 'slow', include: [SLOW], exclude: ['**/node_modules/**'] } },
    ],
  },
});
