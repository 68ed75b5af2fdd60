import { describe, expect, it } from 'vitest';
import { launchDigest } from '../../../core/spec/launch_digest.ts';
import type { ActionSpec } from '../../../core/spec/spec.ts';
import { actionWith } from './support.ts';

const PLAIN = actionWith({ process: true });
const digest = (fields: object): string => launchDigest(actionWith({ process: true, ...fields }));

describe('what a process has to be started anew for', () => {
  it.each<object>([
    { run: 'y' },
    { run: ['x'] },
    { process: false },
    { cwd: 'elsewhere' },
    { env: { A: '1' } },
    { env_file: 'more.env' },
    { pid_file: 'x.pid' },
    { sockets: ['x.sock'] },
    { tcp_ports: [80] },
    { udp_ports: [80] },
    { ready: { claims: 'none' } },
    { health: [{ type: 'pulse' }] },
  ])('%j', (fields) => {
    expect(digest(fields)).not.toBe(launchDigest(PLAIN));
  });

  it('is told apart field by field', () => {
    const port = { tcp_ports: [80] };
    expect(digest(port)).not.toBe(digest({ udp_ports: [80] }));
    expect(digest({ env: { A: '' } })).not.toBe(launchDigest(PLAIN));
    expect(digest({ run: 'a b' })).not.toBe(digest({ run: ['a', 'b'] }));
  });
});

describe('what upkeep reads when the time comes', () => {
  it.each<object>([
    { singleton: true },
    { kill_other: true },
    { ready: { timeout: '1s' } },
    { restart: { delay: '1h' } },
    { stop: { signal: 'SIGINT', timeout: '1s' } },
    { recovery: 'restart' },
    { logs: { keep: 1 } },
  ])('%j restarts nothing', (fields) => {
    expect(digest(fields)).toBe(launchDigest(PLAIN));
  });

  it('neither does another order of keys, nor what comes after what', () => {
    expect(digest({ env: { A: '1', B: '2' } })).toBe(digest({ env: { B: '2', A: '1' } }));
    expect(launchDigest({ ...PLAIN, after: ['b'] })).toBe(launchDigest(PLAIN));
  });

  it('neither does a field that an older upkeep did not know, where it is not used', () => {
    const { health: _later, ...older } = PLAIN;
    expect(launchDigest(older as ActionSpec)).toBe(launchDigest(PLAIN));
  });
});
