/**
 * Rules that span several fields of one action.
 */
import { isAbsolute, resolve } from 'node:path';
import type { SpecDocument } from './document.ts';
import type { ActionDraft, Item } from './draft.ts';
import { type Fault, shown } from './issue.ts';
import { formatDuration } from './units.ts';

/** The longest path that the kernel's address of a Unix socket can hold, in bytes; it cuts longer ones silently. */
const LONGEST_SOCKET_PATH = 107;

/** Whatever is wrong with an action as a whole. */
export function actionFaults(action: ActionDraft, document: SpecDocument, folder: string): Fault[] {
  return [
    ...spellingFaults(action),
    ...oneshotFaults(action),
    ...pauseFaults(action),
    ...socketFaults(action, folder),
    ...wordFaults(action, document),
  ];
}

function spellingFaults(action: ActionDraft): Fault[] {
  if (action.get('kill_other') === undefined || action.get('kill_others') === undefined) return [];
  const path = [...action.path, 'kill_others'];
  const message = 'must not stand beside kill_other, which it is another spelling of';
  return [{ path, rule: 'one_spelling', message, value: JSON.stringify('kill_others') }];
}

/** A oneshot ends by itself, so there is no time at which it could be asked whether it holds what it claims. */
function oneshotFaults(action: ActionDraft): Fault[] {
  if (action.get('process') !== false) return [];
  const claims = (['sockets', 'tcp_ports', 'udp_ports'] as const).filter(
    (field) => action.get(field)?.length,
  );
  const ready = action.get('ready') === undefined ? [] : (['ready'] as const);
  const health = action.get('health')?.length ? (['health'] as const) : [];
  const faults = [...claims, ...ready, ...health].map((field): Fault => {
    const path = [...action.path, field];
    const message = 'is for a process only: say process: true, or leave it out';
    return { path, rule: 'process_only', message, value: shown(path, action.get(field)) };
  });
  if (action.get('restart')?.policy !== 'always') return faults;
  const path = [...action.path, 'restart', 'policy'];
  const message = 'must be on_failure or never for a oneshot, which is done once it has succeeded';
  return [...faults, { path, rule: 'process_only', message, value: shown(path, 'always') }];
}

function pauseFaults(action: ActionDraft): Fault[] {
  const restart = action.get('restart');
  if (restart?.max_delay === undefined || restart.max_delay >= restart.delay) return [];
  const path = [...action.path, 'restart', 'max_delay'];
  const message = `must not be shorter than delay, which is ${formatDuration(restart.delay)}`;
  return [{ path, rule: 'max_delay', message, value: formatDuration(restart.max_delay) }];
}

/** The sockets of an action, resolved; relative ones are left out while nobody can tell what they are relative to. */
export function socketsOf(action: ActionDraft, folder: string): Item<string>[] {
  return action.items('sockets').flatMap(({ value, path }) => {
    const socket = value.startsWith('@') ? value : absolutePath(action, value, folder);
    return socket === null ? [] : [{ value: socket, path }];
  });
}

/** A path of an action, resolved; null for a relative one while `cwd` is wrong. */
export function absolutePath(action: ActionDraft, path: string, folder: string): string | null {
  const cwd = action.get('cwd');
  if (cwd === undefined) return isAbsolute(path) ? resolve(path) : null;
  return resolve(folder, cwd, path);
}

function socketFaults(action: ActionDraft, folder: string): Fault[] {
  return socketsOf(action, folder).flatMap(({ value, path }) => {
    // The @ stands for the NUL byte that an abstract name begins with in the kernel's address, beside the name's bytes.
    const bytes = Buffer.byteLength(value) - (value.startsWith('@') ? 1 : 0);
    if (bytes <= LONGEST_SOCKET_PATH) return [];
    const message = `must be ${LONGEST_SOCKET_PATH} bytes or fewer, as the kernel cuts it off there; it comes to ${bytes}`;
    return [{ path, rule: 'socket_length', message, value: shown(path, value) }];
  });
}

/** YAML reads 1.10 as 1.1 and 0x1F as 31: a number is taken as text only where that changes nothing. */
function wordFaults(action: ActionDraft, document: SpecDocument): Fault[] {
  return [...action.items('run'), ...action.items('env')]
    .filter(({ path }) => document.isRespelt(path))
    .map(({ value, path }) => {
      const message =
        'must be in quotes: YAML reads a number, or true or false, and would spell it differently';
      return { path, rule: 'quotes', message, value: shown(path, value) };
    });
}
