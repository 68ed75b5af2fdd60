import { describe, expect, test } from 'vitest';
import { findingsText } from '../../../adapters/cli/commands/doctor.ts';
import { fail, ok, warn } from '../../../adapters/cli/doctor/finding.ts';
import {
  limitFindings,
  nodeFinding,
  platformFinding,
  processesFinding,
} from '../../../adapters/cli/doctor/machine.ts';
import { probeFindings } from '../../../adapters/cli/doctor/probes.ts';
import { nodeHost } from '../../../core/host/node_host.ts';
import type { Probe } from '../../../core/plugin/probe.ts';

describe('what doctor finds', () => {
  test.each([
    ['v18.20.0', 'fail'],
    ['v20.18.9', 'fail'],
    ['v20.19.0', 'ok'],
    ['v22.0.0', 'ok'],
    ['v100.1.2', 'ok'],
  ])('Node %s: %s', (version, status) => {
    expect(nodeFinding(version).status).toBe(status);
  });

  test('Node without zstd says so', () => {
    expect(nodeFinding('v20.19.0', false).message).toContain('without zstd');
    expect(nodeFinding('v24.0.0', true).message).not.toContain('zstd');
  });

  test.each([
    ['linux', 'ok'],
    ['darwin', 'warn'],
    ['win32', 'fail'],
  ] as const)('%s: %s', (platform, status) => {
    expect(platformFinding(platform).status).toBe(status);
  });

  test('limits, by their soft values', () => {
    const text = (files: string, processes: string): string =>
      `Limit                     Soft Limit           Hard Limit           Units\nMax processes             ${processes}                 200000               processes\nMax open files            ${files}                 1048576              files\n`;
    const statuses = (limits: string | null) => limitFindings(limits).map(({ status }) => status);
    expect(statuses(text('1048576', 'unlimited'))).toEqual(['ok', 'ok']);
    expect(statuses(text('256', '100'))).toEqual(['warn', 'warn']);
    expect(statuses(null)).toEqual(['ok', 'ok']);
  });

  test('processes that cannot be looked into, and /proc that hides them', () => {
    const { processes } = nodeHost();
    const seen = { pid: 1, ppid: 0, pgrp: 1, session: 1, start_time: 1, started_ms: 1, state: 'S' };
    const machine = (stat: typeof seen | null, descriptors: readonly [] | null) =>
      ({
        processes: { ...processes, list: () => [1, 2], stat: () => stat, descriptors: () => descriptors },
      }) as never;
    expect(processesFinding(machine(seen, []), 1000)).toMatchObject({ status: 'ok' });
    expect(processesFinding(machine(seen, null), 1000)).toMatchObject({
      status: 'warn',
      message: '2 of 2 cannot be looked into: they belong to others',
    });
    expect(processesFinding(machine(seen, null), 0)).toMatchObject({ status: 'ok' });
    expect(processesFinding(machine(null, null), 1000)).toMatchObject({ status: 'warn' });
  });
});

describe('probes', () => {
  const host = nodeHost();
  const identity = { boot_id: 'b', pid: 7, start_time: 1 };
  const probe = (
    name: string,
    changes: Partial<Probe> & { complete?: boolean; pid?: number } = {},
  ): Probe => ({
    name,
    available: async () => true,
    holders: async ({ claims: [claim] }) => ({
      holders:
        claim === undefined
          ? []
          : [
              {
                claim,
                process: { ...identity, pid: changes.pid ?? 7 },
                address: null,
                command: '',
                fd: null,
                inode: null,
              },
            ],
      complete: changes.complete ?? true,
    }),
    ...changes,
  });
  const statuses = async (...probes: Probe[]) =>
    (await probeFindings(host, probes, 7)).map(({ check, status }) => `${check} ${status}`);

  test('one that sees everything is enough', async () => {
    const absent = probe('b', { available: async () => false });
    expect(await statuses(probe('a'), absent)).toEqual(['probe a ok', 'probe b ok']);
  });

  test('one that lies or fails is told, and where none sees everything, that too', async () => {
    const broken = probe('c', {
      holders: async () => {
        throw new Error('broken');
      },
    });
    expect(await statuses(probe('a', { complete: false }), probe('b', { pid: 8 }), broken)).toEqual([
      'probe a ok',
      'probe b warn',
      'probe c warn',
      'probes warn',
    ]);
  });

  test('none at all is a failure', async () => {
    expect(await statuses(probe('a', { available: async () => false }))).toEqual([
      'probe a ok',
      'probes fail',
    ]);
  });
});

test('findings are lines, with what to do below those that ask for it', () => {
  const findings = [ok('a', 'well'), warn('long', 'so so', 'mend it'), fail('b', 'ill', 'replace it')];
  expect(findingsText(findings, (_, text) => text)).toBe(
    [
      'ok    a     well',
      'warn  long  so so',
      '            → mend it',
      'fail  b     ill',
      '            → replace it',
      '',
    ].join('\n'),
  );
});
