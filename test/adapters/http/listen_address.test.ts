import { describe, expect, test } from 'vitest';
import { hostOf, hostsOf, ListenAddressError, parseListen } from '../../../adapters/http/listen_address.ts';

describe('an address to listen at', () => {
  test.each([
    ['8080', '127.0.0.1:8080'],
    ['127.0.0.1:1', '127.0.0.1:1'],
    ['localhost:65535', '127.0.0.1:65535'],
    ['LOCALHOST:80', '127.0.0.1:80'],
    ['[::1]:8080', '[::1]:8080'],
    ['::1:8080', '[::1]:8080'],
  ])('%s', (text, host) => expect(hostOf(parseListen(text))).toBe(host));

  test.each([
    ['', "its port must be a number from 1 to 65535: current value is ''"],
    ['0', "current value is '0'"],
    ['65536', "current value is '65536'"],
    ['-1', "current value is '-1'"],
    ['8080.5', "current value is '8080.5'"],
    ['0x50', "current value is '0x50'"],
    [' 80', "current value is ' 80'"],
    ['127.0.0.1', "current value is '127.0.0.1'"],
    ['127.0.0.1:', "current value is ''"],
    ['0.0.0.0:8080', "its address must be 127.0.0.1, [::1] or localhost: current value is '0.0.0.0'"],
    ['[::]:8080', "current value is '[::]'"],
    ['192.168.1.5:8080', "current value is '192.168.1.5'"],
    ['127.0.0.2:8080', "current value is '127.0.0.2'"],
    ['localhost.evil.com:80', "current value is 'localhost.evil.com'"],
    ['[::ffff:127.0.0.1]:80', "current value is '[::ffff:127.0.0.1]'"],
    [':8080', "current value is ''"],
    ['127.0.0.1\n:80', 'its address must be'],
  ])('%j is refused, and it is said why', (text, why) => {
    expect(() => parseListen(text)).toThrow(ListenAddressError);
    expect(() => parseListen(text)).toThrow(why);
  });

  test('has the hosts that mean it, and no other', () => {
    expect(hostsOf(parseListen('8080'))).toEqual(['127.0.0.1:8080', 'localhost:8080']);
    expect(hostsOf(parseListen('[::1]:80'))).toEqual(['[::1]:80', 'localhost:80', '[::1]', 'localhost']);
  });
});
