import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: [
      'packages/*/src/**/*.test.ts',
      'apps/*/src/**/*.test.ts',
      'apps/dashboard/server/**/*.test.ts',
      'apps/dashboard/server/**/*.test.ts',
      'apps/*/web/src/**/*.test.ts',
      'test/src/**/*.test.ts',
    ],
    globalSetup: 'test/src/setup/global-setup.ts',
    // Native modules (onnxruntime, tokenizers) and child processes want a process, not a thread.
    pool: 'forks',
    maxWorkers: 2,
    // A limit for what hangs, not for what is slow: CI machines are shared.
    testTimeout: 900_000,
    hookTimeout: 900_000,
    // One second if not given: too short where commands start processes beside other tests.
    expect: { poll: { timeout: 300_000 } },
  },
});
