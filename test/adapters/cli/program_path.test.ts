import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { invocation, mainModule } from '../../../adapters/cli/program_path.ts';

test('the main module is there', () => {
  expect(existsSync(mainModule())).toBe(true);
});

test.each([
  ['/usr/local/bin/upkeep', '/', 'upkeep'],
  [mainModule(), dirname(mainModule()), 'node main.ts'],
  [undefined, dirname(mainModule()), 'node main.ts'],
])('started as %s in %s it is typed %s', (started, cwd, typed) => {
  expect(invocation(started, cwd)).toBe(typed);
});
