import { describe, expect, it } from 'vitest';
import { claimKey } from '../../../core/reclaim/claim.ts';
import { claimsOf } from '../../../core/spec/claims.ts';
import { jobPolicy } from '../../../core/spec/job_policy.ts';
import { actionWith } from './support.ts';

const OWNER = {
  process: true,
  tcp_ports: [80, '[::1]:81'],
  udp_ports: [53],
  sockets: ['x', '@y'],
  pid_file: '/p',
};

describe('claimsOf', () => {
  it('is the ports and the sockets', () => {
    expect(claimsOf(actionWith(OWNER)).map(claimKey)).toEqual([
      'tcp:80',
      'tcp:[::1]:81',
      'udp:53',
      'socket:/srv/app/x',
      'socket:@y',
    ]);
  });

  it('is nothing for an action that owns nothing, whatever it may stop', () => {
    expect(claimsOf(actionWith({ process: true, kill_other: { ports: [80] } }))).toEqual([]);
  });
});

describe('jobPolicy', () => {
  it('says what the machine needs', () => {
    const fields = {
      ...OWNER,
      ready: { timeout: '5s' },
      stop: { timeout: '3s' },
      recovery: 'restart',
      restart: {
        policy: 'never',
        delay: '1s',
        factor: 3,
        max_delay: '9s',
        jitter: 0.5,
        stable_after: '7s',
        max_attempts: 4,
      },
    };
    expect(jobPolicy(actionWith(fields))).toStrictEqual({
      process: true,
      spec_digest: expect.stringMatching(/^[0-9a-f]{16}$/),
      awaits_ready: true,
      ready_timeout: 5000,
      stop_timeout: 3000,
      recovery: 'restart',
      restart: {
        policy: 'never',
        delay: 1000,
        factor: 3,
        max_delay: 9000,
        jitter: 0.5,
        stable_after: 7000,
        max_attempts: 4,
      },
    });
  });

  it('lets no oneshot wait for claims', () => {
    expect(jobPolicy({ ...actionWith(OWNER), process: false }).awaits_ready).toBe(false);
  });

  it.each([
    [{}, false],
    [{ process: true }, false],
    [{ process: true, pid_file: '/p' }, false],
    [{ process: true, tcp_ports: [80] }, true],
    [{ process: true, udp_ports: [80] }, true],
    [{ process: true, sockets: ['x'] }, true],
    [{ process: true, sockets: ['x'], ready: { claims: 'open' } }, true],
    [{ process: true, sockets: ['x'], ready: { claims: 'none' } }, false],
  ])('%j awaits claims: %s', (fields, awaits) => {
    expect(jobPolicy(actionWith(fields)).awaits_ready).toBe(awaits);
  });
});
