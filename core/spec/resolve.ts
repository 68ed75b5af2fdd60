/**
 * From an action as it was written to the record that the rest of upkeep works with: paths become absolute, and
 * defaults that depend on something else are filled in.
 */
import { resolve } from 'node:path';
import * as v from 'valibot';
import { readyField } from './action_parts.ts';
import type { ActionInput } from './action_schema.ts';
import { commonFields, ownOptions } from './health_field.ts';
import type { ActionSpec, KillOther } from './spec.ts';

/** The longest pause between tries where the file does not name one, ms. */
const MAX_DELAY = 30_000;

/** Tries of a oneshot where the file does not say how many. A process is never given up. */
const ONESHOT_ATTEMPTS = 10;

const READY = v.parse(readyField, {});

/**
 * The checked record of an action.
 *
 * @param folder The service file's, absolute.
 */
export function resolveAction(name: string, input: ActionInput, folder: string): ActionSpec {
  const cwd = resolve(folder, input.cwd);
  const sockets = input.sockets.map((socket) => resolveSocket(cwd, socket));
  return {
    name,
    process: input.process,
    run: input.run,
    cwd,
    env: input.env,
    env_file: input.env_file.map((path) => resolve(cwd, path)),
    after: input.after,
    singleton: input.singleton,
    pid_file: input.pid_file === undefined ? null : resolve(cwd, input.pid_file),
    sockets,
    tcp_ports: input.tcp_ports,
    udp_ports: input.udp_ports,
    kill_other: resolveKillOther(input, cwd, sockets),
    ready: input.ready ?? READY,
    health: input.health.map((check) => ({ ...commonFields(check), options: ownOptions(check) })),
    restart: {
      ...input.restart,
      policy: input.restart.policy ?? (input.process ? 'always' : 'on_failure'),
      max_delay: input.restart.max_delay ?? Math.max(MAX_DELAY, input.restart.delay),
      max_attempts: input.restart.max_attempts ?? (input.process ? 0 : ONESHOT_ATTEMPTS),
    },
    stop: input.stop,
    recovery: input.recovery ?? (input.singleton ? 'restart' : 'adopt'),
    logs: { ...input.logs, max_age: input.logs.max_age ?? null },
  };
}

/** A socket's absolute path; an abstract one has none and stays as it is. */
function resolveSocket(cwd: string, socket: string): string {
  return socket.startsWith('@') ? socket : resolve(cwd, socket);
}

function resolveKillOther(input: ActionInput, cwd: string, sockets: readonly string[]): KillOther | null {
  const granted = input.kill_other ?? input.kill_others ?? false;
  if (granted === false) return null;
  if (granted === true) {
    return { ports: [...input.tcp_ports, ...input.udp_ports], sockets, process_filters: [] };
  }
  return { ...granted, sockets: granted.sockets.map((socket) => resolveSocket(cwd, socket)) };
}
