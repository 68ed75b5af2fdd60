import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/fault/storm.test.ts', 'test/mcp_clients/**'],
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/plain_summary.ts'],
    // Real processes on a small machine: a test that hangs ends here, none is measured by it.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    maxWorkers: 2,
  },
});
