import { defineConfig } from 'vitest/config';
import SuiteTimes from './test/support/suite-times.ts';

export default defineConfig({
  test: {
    // Processes, not threads: what tests start must not share a process with native code that outlives a thread.
    pool: 'forks',
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/temporary-folder.ts'],
    // More than two cores: a worker waits for engines, brokers and pages much of its time. With five of them single tests
    // ran into their time limits on a slow machine.
    maxWorkers: 3,
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // A page on a busy machine needs more than the second that polling has by default.
    expect: { poll: { timeout: 60_000 } },
    reporters: ['default', new SuiteTimes()],
  },
});
