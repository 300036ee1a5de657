import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Processes, not threads: what tests start must not share a process with native code that outlives a thread.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
});
