import { defineConfig } from 'vitest/config';

/** The long storm, and a kill at every single fault point, behind a command of its own: `npm run storm`. */
export default defineConfig({
  test: {
    include: ['test/fault/storm.test.ts', 'test/fault/cut_*.test.ts'],
    env: { EVERY: '1' },
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/plain_summary.ts'],
    pool: 'forks',
  },
});
