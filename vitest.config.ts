import { defineConfig } from 'vitest/config';
import SuiteTimes from './test/support/suite-times.ts';

export default defineConfig({
  test: {
    // Processes, not threads: what tests start must not share a process with native code that outlives a thread.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temporary-folder.ts'],
    // More than two cores: a worker waits for engines, brokers and pages most of its time, and three left two cores idle
    // for over four tenths of a run.
    maxWorkers: 5,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    reporters: ['default', new SuiteTimes()],
  },
});
