/**
 * From the text of a service file to checked records, or to all that is wrong with it.
 */
import { dirname, resolve } from 'node:path';
import * as v from 'valibot';
import { actionFaults } from './action_checks.ts';
import { claimFaults } from './claim_checks.ts';
import { readDocument, type SpecDocument } from './document.ts';
import { draftsOf } from './draft.ts';
import { type FileInput, fileSchema } from './file_schema.ts';
import { type Fault, pathText, type SpecIssue, schemaFault } from './issue.ts';
import { notifyFaults, resolveNotify } from './notify_field.ts';
import { orderFaults } from './order_checks.ts';
import type { SpecRegistry } from './registry.ts';
import { resolveAction } from './resolve.ts';
import type { ServiceFile, ServiceSpec } from './spec.ts';

/** What reading a service file comes to: the file, or what is wrong with it, and then nothing of it is of use. */
export type ParsedServiceFile = { readonly file: ServiceFile } | { readonly issues: readonly SpecIssue[] };

/**
 * Checks a service file. Everything that is wrong is told at once, in the order of the text; what spans several fields
 * is checked among those that are right.
 *
 * @param text YAML, or JSON, which is YAML.
 * @param path Where the text is from: relative paths in it begin in its folder. Absolute.
 * @param registry The plugins that the file may name.
 *
 * @example
 * ```ts
 * const parsed = parseServiceFile(text, '/srv/upkeep.yaml', registry);
 * if ('issues' in parsed) throw new Error(formatIssues(parsed.issues, 'upkeep.yaml'));
 * ```
 */
export function parseServiceFile(text: string, path: string, registry: SpecRegistry): ParsedServiceFile {
  const folder = dirname(resolve(path));
  const document = readDocument(text);
  if (document.data === undefined) return { issues: issuesOf(document.faults, document) };
  const parsed = v.safeParse(fileSchema(registry), document.data);
  const faults = [...document.faults, ...(parsed.issues ?? []).map(schemaFault)];
  const services = draftsOf(document.data, parsed.output, faults);
  const actions = services.flatMap((service) => service.actions);
  const all = [
    ...faults,
    ...actions.flatMap((action) => actionFaults(action, document, folder)),
    ...services.flatMap(orderFaults),
    ...claimFaults(actions, folder),
    ...notifyFaults(document.data),
  ];
  if (all.length > 0 || !parsed.success) return { issues: issuesOf(all, document) };
  const notify = parsed.output.notify.map(resolveNotify);
  return { file: { path: resolve(path), services: resolveServices(parsed.output, folder), notify } };
}

function resolveServices({ services }: FileInput, folder: string): Record<string, ServiceSpec> {
  return Object.fromEntries(
    Object.entries(services).map(([name, { actions }]) => {
      const resolved = Object.entries(actions).map(([action, input]) => [
        action,
        resolveAction(action, input, folder),
      ]);
      return [name, { name, actions: Object.fromEntries(resolved) }];
    }),
  );
}

function issuesOf(faults: readonly Fault[], document: SpecDocument): SpecIssue[] {
  const issues = faults.map((fault) => issueOf(fault, document));
  return issues.sort((a, b) => (a.line ?? 0) - (b.line ?? 0) || (a.column ?? 0) - (b.column ?? 0));
}

function issueOf(fault: Fault, document: SpecDocument): SpecIssue {
  const { path, rule, message, value, about_key, offset } = fault;
  const at = about_key === true ? 'key' : 'value';
  const place = offset === undefined ? document.positionOf(path, at) : document.positionAt(offset);
  return {
    path: pathText(path),
    rule,
    value,
    line: place?.line ?? null,
    column: place?.column ?? null,
    message,
  };
}
