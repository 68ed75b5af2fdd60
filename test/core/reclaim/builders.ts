/** Records for the tests of reclaim: everything harmless and empty, but for what a test names. */
import type { Claim, PortClaim } from '../../../core/reclaim/claim.ts';
import type { FileStamp } from '../../../core/reclaim/file_stamp.ts';
import type { HolderClass, KnownProcess } from '../../../core/reclaim/holder_class.ts';
import type { NamingPidFile, Observations, ObservedClaim } from '../../../core/reclaim/observations.ts';
import type { ReclaimTarget } from '../../../core/reclaim/target.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';

export const BOOT = 'boot-1';

export const STAMP: FileStamp = { dev: 1n, ino: 2n, ctime_ns: 3n };

export function tcp(port: number, address: string | null = null): PortClaim {
  return { kind: 'tcp', address, port };
}

export function udp(port: number, address: string | null = null): PortClaim {
  return { kind: 'udp', address, port };
}

export function socket(path: string): Claim & { kind: 'socket' } {
  return { kind: 'socket', path };
}

export function anAction(changes: Partial<ActionSpec> = {}): ActionSpec {
  return {
    name: 'web',
    process: true,
    run: ['node', 'server.js'],
    cwd: '/',
    env: {},
    env_file: [],
    after: [],
    singleton: false,
    pid_file: null,
    sockets: [],
    tcp_ports: [],
    udp_ports: [],
    kill_other: null,
    health: [],
    ready: { timeout: 30_000, claims: 'own' },
    restart: {
      policy: 'always',
      delay: 100,
      factor: 2,
      max_delay: 30_000,
      jitter: 0.1,
      stable_after: 10_000,
      max_attempts: 0,
    },
    stop: { signal: 'SIGINT', timeout: 1_000 },
    recovery: 'adopt',
    logs: { rotate: [], max_age: null, keep: 10, max_total: 1_000_000, compress: 'none' },
    ...changes,
  };
}

export function aTarget(
  action: Partial<ActionSpec> = {},
  changes: Partial<Omit<ReclaimTarget, 'action'>> = {},
): ReclaimTarget {
  return {
    action: anAction(action),
    service: 'shop',
    job_id: 'j1',
    next_incarnation: 3,
    pid_file: '/nowhere/shop.web.pid',
    search_path: '/usr/bin:/bin',
    last: null,
    last_gone: false,
    ...changes,
  };
}

export function aProcess(pid: number, holderClass: HolderClass): KnownProcess {
  const job = {
    own_earlier: {
      instance: 'c0ffee',
      job_id: 'j1',
      incarnation: 2,
      name: { service: 'shop', action: 'web' },
    },
    managed: {
      instance: 'c0ffee',
      job_id: 'j9',
      incarnation: 0,
      name: { service: 'bank', action: 'ledger' },
    },
    foreign: null,
    protected: null,
    unknown: null,
  }[holderClass];
  return {
    identity: { boot_id: BOOT, pid, start_time: pid * 10 },
    command: `program ${pid}`,
    class: holderClass,
    job,
  };
}

export function held(claim: Claim, process: KnownProcess | null, own = true): ObservedClaim {
  return { claim, own, state: 'held', sign: 'EADDRINUSE', holders: [{ process, address: null }] };
}

export function seen(changes: Partial<Observations> = {}): Observations {
  return {
    pid_file: { state: 'absent' },
    left_behind: [],
    claims: [],
    matched: [],
    probe: 'fake',
    ...changes,
  };
}

export function naming(process: KnownProcess | null, changes: Partial<NamingPidFile> = {}): NamingPidFile {
  return {
    state: 'names',
    pid: process?.identity.pid ?? 4711,
    stamp: STAMP,
    written_ms: 1_000_000,
    process,
    started_ms: 999_000,
    runs_action: false,
    ...changes,
  };
}
