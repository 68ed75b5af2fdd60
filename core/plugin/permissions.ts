/**
 * What a plugin may touch: what it asks for, what the service file grants, and whether a call is covered. Pure.
 *
 * Both lists read the same. What counts is what stands in both, so that a plugin never gets more than it asked for,
 * whatever it was granted.
 */
import type { NetTarget } from '../host/host.ts';

/** What a plugin asks for, or is granted. `*` in a list stands for everything of its kind. */
export interface Permissions {
  /** Programs: a name as it is looked up along PATH, or an absolute path. */
  readonly run: readonly string[];
  /** Absolute paths of files, or of folders with all that is below them; as they are once links are resolved. */
  readonly read: readonly string[];
  /** `host:port`, `host` for every port of it, `[::1]:53`, or `unix:/path` for a socket. */
  readonly net: readonly string[];
}

/** The kinds of permission. */
export const PERMISSION_KINDS = ['run', 'read', 'net'] as const satisfies readonly (keyof Permissions)[];

/** One of {@link PERMISSION_KINDS}. */
export type PermissionKind = (typeof PERMISSION_KINDS)[number];

/** Everything: what built-in plugins have. */
export const EVERYTHING: Permissions = { run: ['*'], read: ['*'], net: ['*'] };

/** Nothing. */
export const NOTHING: Permissions = { run: [], read: [], net: [] };

/** Thrown at a plugin that reaches for what it may not. */
export class PermissionDenied extends Error {
  override readonly name = 'PermissionDenied';
  readonly code = 'ERR_ACCESS_DENIED';
  readonly kind: PermissionKind;
  readonly wanted: string;

  constructor(kind: PermissionKind, wanted: string) {
    super(`needs the permission ${kind}: ${wanted}`);
    this.kind = kind;
    this.wanted = wanted;
  }
}

/** Whether one list covers a program. */
export function coversRun(granted: readonly string[], program: string): boolean {
  return granted.some((entry) => entry === '*' || entry === program);
}

/**
 * Whether one list covers a file.
 *
 * @param path absolute, with every symbolic link resolved: a link inside a granted folder leads nowhere new.
 */
export function coversRead(granted: readonly string[], path: string): boolean {
  return granted.some((entry) => {
    if (entry === '*') return true;
    // Empty text would be the beginning of every path.
    if (!entry.startsWith('/')) return false;
    const folder = entry.replace(/\/+$/, '');
    return path === folder || path.startsWith(`${folder}/`);
  });
}

/** Whether one list covers a connection. */
export function coversNet(granted: readonly string[], target: NetTarget): boolean {
  return granted.some((entry) => entry === '*' || matchesTarget(entry, target));
}

/** `127.0.0.1:80`, `[::1]:80` or `unix:/path`: how a target is written in a list. */
export function netText(target: NetTarget): string {
  if ('path' in target) return `unix:${target.path}`;
  const { host, port } = target;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function matchesTarget(entry: string, target: NetTarget): boolean {
  if ('path' in target) return entry === `unix:${target.path}`;
  const { host, port } = hostOf(entry);
  return host === target.host.toLowerCase() && (port === null || port === target.port);
}

/** The host of an entry, and its port where it names one. A colon alone is of a port, several are of an IPv6 address. */
function hostOf(entry: string): { readonly host: string | null; readonly port: number | null } {
  const form = /^(?:\[([^[\]]+)\](?::(\d+))?|([^:[\]]+)(?::(\d+))?|([^[\]]*:[^[\]]*:[^[\]]*))$/;
  const [, bracketed, ofBracketed, plain, ofPlain, bare] = form.exec(entry) ?? [];
  const digits = ofBracketed ?? ofPlain;
  return {
    host: (bracketed ?? plain ?? bare)?.toLowerCase() ?? null,
    port: digits === undefined ? null : Number(digits),
  };
}

/** What a plugin asks for and is not granted, as `run: ss`; a list that asks for everything is met by any grant. */
export function missingGrants(asked: Permissions, granted: Permissions): string[] {
  return PERMISSION_KINDS.flatMap((kind) =>
    asked[kind]
      .filter((entry) =>
        entry === '*' ? granted[kind].length === 0 : !isGranted(kind, granted[kind], entry),
      )
      .map((entry) => `${kind}: ${entry}`),
  );
}

function isGranted(kind: PermissionKind, granted: readonly string[], entry: string): boolean {
  if (kind === 'read') return coversRead(granted, entry);
  if (granted.includes('*') || granted.includes(entry)) return true;
  const { host, port } = hostOf(entry);
  return kind === 'net' && host !== null && port !== null && coversNet(granted, { host, port });
}
