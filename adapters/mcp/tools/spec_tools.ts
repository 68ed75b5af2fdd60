/**
 * Tools on the service file.
 */
import type { OutputOf } from '../../../core/operation/table.ts';
import { defineTool } from '../tool.ts';
import { said } from '../words.ts';

/** Whether a service file is right. */
export const validateSpec = defineTool({
  name: 'validate_spec',
  operation: 'spec.check',
  title: 'Check a service file',
  description:
    'Check a whole service file, as YAML or JSON text or as an object, and list everything that is wrong with it, with line and column. Nothing is touched and nothing is started. Call it before apply_spec.',
  text: ({ valid, issues, unchecked_plugins }) =>
    [
      valid
        ? 'It is valid. Next: apply_spec with dry_run: true shows what it would change.'
        : `It has ${issues.length} faults:`,
      ...issues.map(
        ({ path, message, value, line, column }) =>
          `  ${line === null ? '' : `${line}:${column ?? 1} `}${path}: ${message} (it is ${said(value)})`,
      ),
      ...unchecked_plugins.map((name) => `What is written for the plugin ${name} was not checked.`),
    ].join('\n'),
});

/** Makes the service file say it. */
export const applySpec = defineTool({
  name: 'apply_spec',
  operation: 'spec.apply',
  title: 'Change the service file',
  description:
    'Replace what the service file says as a whole, and take it over: new services are started, those that are gone are stopped, changed ones are restarted where they must be. Always call it with dry_run: true first, which changes nothing, and look at what it would do; then with confirm: true. What is left out of spec is removed.',
  text: change,
  next: ({ applied }) => (applied ? { operation: 'service.list', input: {} } : null),
});

function change({ added, removed, changed, unchanged, applied }: OutputOf<'spec.apply'>): string {
  const named = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`  ${what}: ${names.join(', ')}`];
  return [
    applied ? 'It is applied:' : 'Nothing was changed. It would do this:',
    ...named('started', added),
    ...named('stopped and removed', removed),
    ...changed.map(
      ({ service, action, change: kind, fields, restarts }) =>
        `  ${[service ?? 'settings', ...(action === null ? [] : [action])].join('/')}: ${kind}${restarts ? ', restarted' : ''}${fields.length === 0 ? '' : ` (${fields.map(({ path }) => path).join(', ')})`}`,
    ),
    ...named('unchanged', unchanged),
    ...(applied
      ? []
      : ['Next: if this is right, call apply_spec again with confirm: true and without dry_run.']),
  ].join('\n');
}
