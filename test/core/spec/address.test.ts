import { describe, expect, it } from 'vitest';
import type { PortClaim } from '../../../core/reclaim/claim.ts';
import { PORT_TEXT, PORT_TEXT_RULE, parsePort, portsOverlap } from '../../../core/spec/address.ts';

describe('parsePort', () => {
  it.each([
    ['1', null, 1],
    ['65535', null, 65_535],
    ['*:8080', null, 8080],
    ['0.0.0.0:8080', null, 8080],
    ['[::]:8080', null, 8080],
    ['[0:0:0:0:0:0:0:0]:8080', null, 8080],
    ['[::ffff:0.0.0.0]:8080', null, 8080],
    ['127.0.0.1:9090', '127.0.0.1', 9090],
    ['[::1]:53', '::1', 53],
    ['[0:0::0:1]:53', '::1', 53],
    ['[2001:DB8:0:0:0:0:0:1]:53', '2001:db8::1', 53],
    ['[::ffff:127.0.0.1]:53', '127.0.0.1', 53],
    ['[::ffff:7f00:1]:53', '127.0.0.1', 53],
  ])('reads %s', (text, address, port) => {
    expect(parsePort(text)).toEqual({ address, port });
    expect(text).toMatch(PORT_TEXT);
  });

  it.each([
    '',
    '0',
    '65536',
    '99999',
    '100000',
    '-1',
    '80a',
    ' 80',
    '8080:80',
    ':8080',
    '127.0.0.1',
    '127.0.0.1:',
    '127.0.0.1:0',
    '127.0.0.256:80',
    '127.1:80',
    '010.0.0.1:80',
    '::1:80',
    '[::1]',
    '[::1]80',
    '[127.0.0.1]:80',
    '[::1%lo]:80',
    '[fe80::g]:80',
    'localhost:80',
    '8080\n',
  ])('refuses %j', (text) => {
    expect(() => parsePort(text)).toThrow(new RangeError(PORT_TEXT_RULE));
  });
});

describe('portsOverlap', () => {
  const tcp = (port: number, address: string | null = null): PortClaim => ({ kind: 'tcp', address, port });
  const udp = (port: number, address: string | null = null): PortClaim => ({ kind: 'udp', address, port });

  it.each([
    [tcp(80), tcp(80), true],
    [tcp(80), tcp(80, '127.0.0.1'), true],
    [tcp(80, '::1'), tcp(80), true],
    [tcp(80, '::1'), tcp(80, '::1'), true],
    [tcp(80, '::1'), tcp(80, '127.0.0.1'), false],
    [tcp(80), tcp(81), false],
    [tcp(80), udp(80), false],
    [udp(80), udp(80, '10.0.0.1'), true],
  ])('%j and %j: %s', (a, b, overlap) => {
    expect(portsOverlap(a, b)).toBe(overlap);
    expect(portsOverlap(b, a)).toBe(overlap);
  });
});
