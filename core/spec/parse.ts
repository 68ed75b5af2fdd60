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
import { type Fault, pathText, type SpecIssue, schemaFault, shown } from './issue.ts';
import { notifyFaults, resolveNotify } from './notify_field.ts';
import { orderFaults } from './order_checks.ts';
import { pluginField, resolvePlugin } from './plugin_field.ts';
import { type PluginUse, pluginUses } from './plugin_uses.ts';
import type { SpecRegistry } from './registry.ts';
import { resolveAction } from './resolve.ts';
import { kindOf } from './schema_kit.ts';
import type { PluginSpec, ServiceFile, ServiceSpec } from './spec.ts';

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
  return openServiceFile(text, path).check(registry);
}

/** A service file whose text was read and that is to be checked yet. */
export interface OpenServiceFile {
  /** The plugins that it names, of those that are written right; `index` is the place in its list. */
  readonly plugins: readonly { readonly index: number; readonly spec: PluginSpec }[];
  /** Where it uses plugins, of every kind and whoever's they are. */
  readonly uses: readonly PluginUse[];
  /**
   * Checks all of it.
   *
   * @param found what others have found to be wrong: with what plugins check by themselves.
   */
  check(registry: SpecRegistry, found?: readonly FoundFault[]): ParsedServiceFile;
}

/** Something wrong that is found elsewhere. */
export type FoundFault = Omit<Fault, 'value' | 'offset'>;

/** Reads a service file, so that its plugins can be loaded before it is checked. See {@link parseServiceFile}. */
export function openServiceFile(text: string, path: string): OpenServiceFile {
  const folder = dirname(resolve(path));
  const document = readDocument(text);
  return {
    plugins: pluginsOf(document.data, folder),
    uses: pluginUses(document.data),
    check: (registry, found = []) => checkDocument(document, path, registry, found),
  };
}

function checkDocument(
  document: SpecDocument,
  path: string,
  registry: SpecRegistry,
  found: readonly FoundFault[],
): ParsedServiceFile {
  const folder = dirname(resolve(path));
  if (document.data === undefined) return { issues: issuesOf(document.faults, document) };
  const parsed = v.safeParse(fileSchema(registry), document.data);
  const faults = [...document.faults, ...(parsed.issues ?? []).map(schemaFault)];
  const services = draftsOf(document.data, parsed.output, faults);
  const actions = services.flatMap((service) => service.actions);
  const all = [
    ...faults,
    ...found.map((fault) => ({ ...fault, value: shownAt(document.data, fault) })),
    ...actions.flatMap((action) => actionFaults(action, document, folder)),
    ...services.flatMap(orderFaults),
    ...claimFaults(actions, folder),
    ...notifyFaults(document.data),
  ];
  if (all.length > 0 || !parsed.success) return { issues: issuesOf(all, document) };
  const { output } = parsed;
  const plugins = output.plugins.map((plugin) => resolvePlugin(plugin, folder));
  const { probes } = output;
  const notify = output.notify.map(resolveNotify);
  const file = { path: resolve(path), plugins, probes, notify };
  return { file: { ...file, services: resolveServices(output, folder) } };
}

function pluginsOf(data: unknown, folder: string): OpenServiceFile['plugins'] {
  const written = kindOf(data) === 'map' ? (data as { plugins?: unknown }).plugins : undefined;
  if (!Array.isArray(written)) return [];
  return written.flatMap((plugin: unknown, index) => {
    const parsed = v.safeParse(pluginField, plugin);
    return parsed.success ? [{ index, spec: resolvePlugin(parsed.output, folder) }] : [];
  });
}

/** What is written at a fault's path, fit to be shown. */
function shownAt(data: unknown, { path, about_key = false }: FoundFault): string {
  if (about_key) return JSON.stringify(path.at(-1));
  let value = data;
  for (const key of path) value = (value as Record<string | number, unknown> | null | undefined)?.[key];
  return shown(path, value);
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
