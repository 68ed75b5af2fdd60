/** Service files for the tests of their checks. */
import * as v from 'valibot';
import { sizeField } from '../../../core/spec/fields.ts';
import type { SpecIssue } from '../../../core/spec/issue.ts';
import { parseServiceFile } from '../../../core/spec/parse.ts';
import type { SpecRegistry } from '../../../core/spec/registry.ts';
import type { ActionSpec, ServiceFile } from '../../../core/spec/spec.ts';

/** Plugins that only tests know. */
export const REGISTRY: SpecRegistry = {
  rotators: [
    { name: 'noon', summary: 'At noon.', options: v.strictObject({}), by_default: true },
    {
      name: 'weight',
      summary: 'By weight.',
      options: v.strictObject({ max: v.pipe(v.optional(sizeField, '10MiB'), v.description('How heavy.')) }),
      by_default: true,
    },
    { name: 'moon', summary: 'At full moon.', options: v.strictObject({}), by_default: false },
  ],
  health_checks: [
    {
      name: 'pulse',
      summary: 'By pulse.',
      options: v.strictObject({
        rate: v.pipe(v.optional(v.number('must be a number'), 60), v.description('Beats.')),
      }),
    },
  ],
  notifiers: [
    {
      name: 'bell',
      summary: 'By bell.',
      options: v.strictObject({
        tone: v.pipe(v.optional(v.string('must be text'), 'high'), v.description('How it sounds.')),
      }),
    },
  ],
  probes: [{ name: 'eyes' }, { name: 'ears' }, { name: 'nose' }],
};

export const PATH = '/srv/app/upkeep.yaml';

/** The file, which must be right. */
export function accepted(text: string): ServiceFile {
  const parsed = parseServiceFile(text, PATH, REGISTRY);
  if ('issues' in parsed) throw new Error(`refused: ${JSON.stringify(parsed.issues, null, 1)}`);
  return parsed.file;
}

/** What is wrong with the file, which must not be right. */
export function refused(text: string): readonly SpecIssue[] {
  const parsed = parseServiceFile(text, PATH, REGISTRY);
  if ('file' in parsed) throw new Error('accepted');
  return parsed.issues;
}

/** A file with one service `s` and one action `a`, with these fields beside `run`. */
export function fileWith(fields: object): string {
  return JSON.stringify({ services: { s: { actions: { a: { run: 'x', ...fields } } } } });
}

/** A file with one service `s` and these actions. */
export function fileOf(actions: Readonly<Record<string, object>>): string {
  return JSON.stringify({ services: { s: { actions } } });
}

/** The action `a` of {@link fileWith}, checked. */
export function actionWith(fields: object): ActionSpec {
  return only(accepted(fileWith(fields)).services['s']?.actions['a']);
}

/** Path, rule and value of each issue; the path from the action `a` of the service `s` on. */
export function verdicts(text: string): string[] {
  return refused(text).map(
    ({ path, rule, value }) => `${path.replace('services.s.actions.', '')} ${rule} ${value}`,
  );
}

function only<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('nothing there');
  return value;
}
