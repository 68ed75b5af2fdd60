import { describe, expect, it } from 'vitest';
import { isInTheWay, plainAddress } from '../../../core/host/address.ts';

describe('plainAddress', () => {
  it.each([
    ['127.0.0.1', '127.0.0.1'],
    ['::ffff:127.0.0.1', '127.0.0.1'],
    ['0:0:0:0:0:ffff:7f00:1', '127.0.0.1'],
    ['::ffff:0.0.0.0', '0.0.0.0'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['FE80::1%eth0', 'fe80::1'],
    ['::', '::'],
  ])('%s is %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain);
  });
});

describe('isInTheWay', () => {
  it.each([
    // bound, wanted
    ['127.0.0.1', null, true],
    ['::1', null, true],
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['0.0.0.0', '127.0.0.1', true],
    ['127.0.0.1', '0.0.0.0', true],
    ['::', '127.0.0.1', true],
    ['::', '::1', true],
    ['::1', '::', true],
    ['127.0.0.1', '::', true],
    ['::1', '127.0.0.1', false],
    ['::1', '0.0.0.0', false],
    ['0.0.0.0', '::1', false],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
    ['::ffff:0.0.0.0', '127.0.0.1', true],
  ])('bound %s, wanted %s: %s', (bound, wanted, expected) => {
    expect(isInTheWay(bound, wanted)).toBe(expected);
  });
});
