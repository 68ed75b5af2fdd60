import { describe, expect, it } from 'vitest';
import { nearest } from '../../../core/spec/nearest.ts';

describe('nearest', () => {
  it.each([
    ['tcp_prots', 'tcp_ports'],
    ['tcp_port', 'tcp_ports'],
    ['tcpports', 'tcp_ports'],
    ['Sockets', 'sockets'],
    ['sokcets', 'sockets'],
    ['restrat', 'restart'],
    ['enb', 'env'],
    ['en', 'env'],
    ['sockets', 'sockets'],
  ])('takes %s for %s', (name, meant) => {
    expect(nearest(name, ['tcp_ports', 'udp_ports', 'sockets', 'restart', 'env'])).toBe(meant);
  });

  it.each(['colour', 'a', '', 'vne!', 'tcp', 'xockxtx_'])('takes %j for nothing', (name) => {
    expect(nearest(name, ['tcp_ports', 'udp_ports', 'sockets', 'restart', 'env'])).toBeNull();
  });

  it('counts neighbours changed about as one slip', () => {
    expect(nearest('bca', ['abc'])).toBeNull();
    expect(nearest('bac', ['abc'])).toBe('abc');
  });

  it('prefers the nearest, and of equals the first', () => {
    expect(nearest('webs', ['wens', 'web', 'webx'])).toBe('wens');
    expect(nearest('weeb1', ['wexb12', 'web1'])).toBe('web1');
  });

  it('has no answer among none', () => {
    expect(nearest('web', [])).toBeNull();
  });
});
