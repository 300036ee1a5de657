import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes, not threads: what tests start must not share a process with native code that outlives a thread.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    // Much of the time is waiting for engines, brokers and pages; by default a machine of two cores would run one file at a time.
    maxWorkers: 2,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
