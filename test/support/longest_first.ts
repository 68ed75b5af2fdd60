/**
 * The order of test files: what takes long first, so that no worker is left with a minute of work alone at the end, and
 * what waits beside what computes.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/**
 * Files that take ten seconds or more, in the order in which they start: the longest first, and those that wait for time
 * to pass (a minute in `hundred`, deadlines in `plugin_host`) apart from each other.
 */
const LONG: readonly string[] = [
  'e2e/hundred',
  'core/log/interruption',
  'fault/kill_upkeep',
  'core/plugin/remote/plugin_host',
  'e2e/recovery',
  'e2e/access',
  'core/job/explorer',
  'e2e/cases',
  'fault/cut_change',
  'adapters/http/fuzz',
  'core/plugin/remote/hostile',
  'fault/cut_command',
  'e2e/launch',
  'e2e/real_services',
  'e2e/mcp_heal',
  'fault/cut_apply',
  'core/log/zstd',
  'e2e/plugin_cases',
  'e2e/heal',
  'e2e/apply',
  'e2e/cli',
  'e2e/operate',
  'e2e/why_notes',
  'core/job/world_key',
  'core/log/reading',
  'core/plugin/remote/third_party',
  'core/plugin/remote/load',
  'e2e/escapees',
  'e2e/mcp',
  'core/log/rotation',
  'core/log/bounds',
  'core/supervisor/start',
];

/** Sorts long files to the front; the others as vitest does: those with a process of their own, larger ones first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const others = await super.sort(files);
    return others.toSorted((a, b) => rank(a) - rank(b));
  }
}

function rank({ moduleId }: TestSpecification): number {
  const index = LONG.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return index === -1 ? LONG.length : index;
}
