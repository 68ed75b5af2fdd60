import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { nodeFiles } from '../../../core/host/files.ts';
import { ClaimIndex, isSameFile } from '../../../core/plugin/claim_index.ts';
import { commandLine } from '../../../core/plugin/command_line.ts';
import { withoutConnections } from '../../../core/plugin/connections.ts';
import type { Claim } from '../../../core/reclaim/claim.ts';

const every: Claim = { kind: 'tcp', address: null, port: 80 };
const local: Claim = { kind: 'tcp', address: '127.0.0.1', port: 80 };
const datagrams: Claim = { kind: 'udp', address: null, port: 80 };

describe('ClaimIndex', () => {
  const files = nodeFiles();
  const isSame = (one: string, other: string): boolean => isSameFile(one, other, files);
  let dir: string;

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'upkeep-index-'));
  });

  afterEach(() => rmSync(dir, { recursive: true, force: true }));

  it('finds claims by protocol, port and address', () => {
    const index = new ClaimIndex([every, local, datagrams]);
    expect(index.ofPort('tcp', 80, () => '127.0.0.2')).toEqual([every]);
    expect(index.ofPort('tcp', 80, () => '127.0.0.1')).toEqual([every, local]);
    expect(index.ofPort('udp', 80, () => '127.0.0.1')).toEqual([datagrams]);
  });

  it('does not compute an address where nobody claims the port', () => {
    const address = vi.fn(() => '127.0.0.1');
    expect(new ClaimIndex([every]).ofPort('tcp', 81, address)).toEqual([]);
    expect(address).not.toHaveBeenCalled();
  });

  it('knows which kinds there are', () => {
    const index = new ClaimIndex([datagrams]);
    expect([index.has('udp'), index.has('tcp'), index.has('socket')]).toEqual([true, false, false]);
  });

  it('finds a path by itself and by another way to the same file', () => {
    mkdirSync(join(dir, 'run'));
    writeFileSync(join(dir, 'run', 'a.sock'), '');
    symlinkSync('run', join(dir, 'var'));
    const claim: Claim = { kind: 'socket', path: join(dir, 'run', 'a.sock') };
    const index = new ClaimIndex([claim]);
    expect(index.ofPath(claim.path, isSame)).toEqual([claim]);
    expect(index.ofPath(join(dir, 'var', 'a.sock'), isSame)).toEqual([claim]);
    expect(index.ofPath(join(dir, 'a.sock'), isSame)).toEqual([]);
    expect(index.ofName('a.sock')).toEqual([claim]);
  });

  it('finds an abstract name, filled up or not, and no longer one', () => {
    const claim: Claim = { kind: 'socket', path: '@a' };
    const index = new ClaimIndex([claim]);
    expect(index.ofPath('@a', isSame)).toEqual([claim]);
    expect(index.ofPath('@a'.padEnd(108, '@'), isSame)).toEqual([claim]);
    expect(index.ofPath('@a@', isSame)).toEqual([]);
  });
});

describe('withoutConnections', () => {
  it('leaves out connections where there is a listener, claim by claim', () => {
    const listener = { claims: [every], connected: false };
    const its = { claims: [every], connected: true };
    const orphan = { claims: [local], connected: true };
    expect(withoutConnections([its, listener, orphan])).toEqual([listener, orphan]);
  });
});

describe('commandLine', () => {
  it('joins and bounds the arguments', () => {
    expect(commandLine(['node', 'a b'], () => 'x')).toBe('node a b');
    expect(commandLine(['n'.repeat(300)], () => 'x')).toHaveLength(200);
  });

  it.each([null, [], ['']])('falls back to the name for %j', (argv) => {
    expect(commandLine(argv, () => 'kthreadd')).toBe('[kthreadd]');
    expect(commandLine(argv, () => '')).toBe('');
  });
});
