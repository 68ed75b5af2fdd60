/**
 * The order of the test files: those that take minutes begin, so that no worker is left alone with one at the end.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

const LONG = [
  'test/fault/kill_upkeep.test.ts',
  'test/e2e/hundred.test.ts',
  'test/core/log/zstd.test.ts',
  'test/e2e/recovery.test.ts',
  'test/e2e/cases.test.ts',
];

/** See the top of this file. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => {
      const index = LONG.findIndex((path) => moduleId.endsWith(path));
      return index < 0 ? LONG.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
