/** What `npm run check` finds unused: files, exports and dependencies that nothing names. */
export default {
  // A package that is not there is the compiler's to find; tests use those that the workspaces list.
  include: ['files', 'dependencies', 'exports', 'types'],
  workspaces: {
    '.': {
      entry: [
        'scripts/*.{js,ts}',
        'scripts/**/*.d.ts',
        'scripts/kafka/keeper.js',
        'test/bench/*.ts',
        'test/**/*-process.ts',
      ],
      project: ['scripts/**/*.{js,ts}', 'test/**/*.ts'],
      // Read as a file, into a page.
      ignoreDependencies: ['axe-core'],
    },
    // Every file can be imported by its name; an export counts as used where somebody does.
    schemas: { includeEntryExports: true },
    services: { includeEntryExports: true },
  },
  ignoreIssues: {
    // Loaded by the programs that npm and the engine start.
    'services/cli/main.ts': ['exports'],
    'services/clickhouse/engine/host.ts': ['exports'],
  },
};
