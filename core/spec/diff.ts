/**
 * What one checked service file says otherwise than another.
 */
import { isDeepStrictEqual } from 'node:util';
import { REDACTED } from '../access/redactor.ts';
import type { PortClaim } from '../reclaim/claim.ts';
import { isSecret, type Path, pathText } from './issue.ts';
import { launchDigest } from './launch_digest.ts';
import type { ActionSpec, ServiceFile, ServiceSpec } from './spec.ts';

/** The parts of a service file that are compared. */
export type ComparedFile = Pick<ServiceFile, 'services' | 'plugins' | 'probes' | 'notify'>;

/** One field that is another one now. Durations are ms, sizes bytes; {@link REDACTED} stands for what may be a secret. */
export interface FieldChange {
  /** Within the action, such as `tcp_ports[0]`; within the file where it is about no action. */
  readonly path: string;
  /** Null where it was not there. */
  readonly before: unknown;
  /** Null where it is gone. */
  readonly after: unknown;
}

/** What has changed of one action, or of what is about no service: probes, plugins, notify. */
export interface SpecChange {
  readonly service: string | null;
  readonly action: string | null;
  readonly change: 'added' | 'removed' | 'changed';
  /** Empty for what is added or removed as a whole. */
  readonly fields: readonly FieldChange[];
  /** Whether what runs of it is stopped and started again for that. */
  readonly restarts: boolean;
}

/** What differs between two service files. Names of services are sorted. */
export interface SpecDiff {
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly changed: readonly SpecChange[];
  readonly unchanged: readonly string[];
}

/**
 * Compares two checked service files.
 *
 * @example
 * ```ts
 * diffSpecs(present, wanted).changed;
 * // [{ service: 'shop', action: 'web', change: 'changed', restarts: false,
 * //    fields: [{ path: 'stop.timeout', before: 10000, after: 20000 }] }]
 * ```
 */
export function diffSpecs(before: ComparedFile, after: ComparedFile): SpecDiff {
  const names = [...new Set([...Object.keys(before.services), ...Object.keys(after.services)])].sort();
  const added: string[] = [];
  const removed: string[] = [];
  const unchanged: string[] = [];
  const changed: SpecChange[] = [];
  for (const name of names) {
    const [was, is] = [before.services[name], after.services[name]];
    if (was === undefined) added.push(name);
    else if (is === undefined) removed.push(name);
    else {
      const changes = serviceChanges(was, is);
      if (changes.length === 0) unchanged.push(name);
      changed.push(...changes);
    }
  }
  const whole = (['plugins', 'probes', 'notify'] as const).flatMap((part) =>
    fieldChanges([part], before[part], after[part]),
  );
  if (whole.length > 0) {
    changed.push({ service: null, action: null, change: 'changed', fields: whole, restarts: false });
  }
  return { added, removed, changed, unchanged };
}

function serviceChanges(before: ServiceSpec, after: ServiceSpec): SpecChange[] {
  const service = after.name;
  const names = [...new Set([...Object.keys(before.actions), ...Object.keys(after.actions)])].sort();
  return names.flatMap((action): SpecChange[] => {
    const [was, is] = [before.actions[action], after.actions[action]];
    if (was === undefined) return [{ service, action, change: 'added', fields: [], restarts: false }];
    if (is === undefined) return [{ service, action, change: 'removed', fields: [], restarts: false }];
    const fields = actionFields(was, is);
    if (fields.length === 0) return [];
    return [{ service, action, change: 'changed', fields, restarts: launchDigest(was) !== launchDigest(is) }];
  });
}

function actionFields(before: ActionSpec, after: ActionSpec): FieldChange[] {
  const keys = Object.keys(after) as (keyof ActionSpec)[];
  return keys.flatMap((key) => fieldChanges([key], before[key], after[key]));
}

/** Goes down to what differs; lists of other lengths differ as a whole. */
function fieldChanges(path: Path, before: unknown, after: unknown): FieldChange[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    return before.flatMap((item, index) => fieldChanges([...path, index], item, after[index]));
  }
  if (isRecord(before) && isRecord(after) && !isPort(before) && !isPort(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return keys.flatMap((key) => fieldChanges([...path, key], before[key], after[key]));
  }
  const written = asWritten(path);
  return [{ path: pathText(written), before: visible(written, before), after: visible(written, after) }];
}

/** Of a check and a rule of `notify` the options stand beside its other fields in the file. */
function asWritten(path: Path): Path {
  const [first, index, key, ...rest] = path;
  const mixed = (first === 'health' || first === 'notify') && key === 'options';
  return mixed && index !== undefined ? [first, index, ...rest] : path;
}

/** A value without what may be a secret in it. */
function visible(path: Path, value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (isPort(value)) return value.address === null ? value.port : addressText(value);
  if (Array.isArray(value)) return value.map((item, index) => visible([...path, index], item));
  if (isRecord(value)) {
    const entries = Object.entries(value).map(([key, item]) => [
      key,
      visible(asWritten([...path, key]), item),
    ]);
    return Object.fromEntries(entries);
  }
  return isSecret(path) ? REDACTED : value;
}

function addressText({ address, port }: PortClaim): string {
  return address?.includes(':') === true ? `[${address}]:${port}` : `${address}:${port}`;
}

function isPort(value: unknown): value is PortClaim {
  return isRecord(value) && 'port' in value && 'address' in value && 'kind' in value;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
