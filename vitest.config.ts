import { defineConfig } from 'vitest/config';
import { LongestFirst } from './test/support/longest_first.ts';

/** What starts many processes, or changes what its own has (descriptors, limits): each file in a fresh one. */
const ALONE = [
  'test/e2e/**/*.test.ts',
  'test/fault/**/*.test.ts',
  'test/plugins/**/*.test.ts',
  'test/core/{host,process}/**/*.test.ts',
  'test/core/log/{interruption,zstd}.test.ts',
  'test/core/plugin/remote/**/*.test.ts',
];
const NEVER = ['test/fault/storm.test.ts', 'test/mcp_clients/**'];

// Real processes on a small machine: a test that hangs ends here, none is measured by it.
const LIMITS = {
  testTimeout: 60_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 50_000, interval: 10 } },
};

export default defineConfig({
  test: {
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/plain_summary.ts'],
    // As many as a small machine has processors: with one more, tests that race by their nature fail now and then.
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { test: { name: 'alone', include: ALONE, exclude: NEVER, pool: 'forks', ...LIMITS } },
      {
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [...NEVER, ...ALONE],
          pool: 'forks',
          // Each file's start, and its reading of the same modules, would cost more than what it tests.
          isolate: false,
          ...LIMITS,
        },
      },
    ],
  },
});
