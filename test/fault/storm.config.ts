import { defineConfig } from 'vitest/config';

/** The long storm, behind a command of its own: `npm run storm`. */
export default defineConfig({
  test: {
    include: ['test/fault/storm.test.ts'],
    globalSetup: ['test/support/build.ts'],
    reporters: ['default', './test/support/plain_summary.ts'],
    pool: 'forks',
  },
});
