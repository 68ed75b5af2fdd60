import { describe, expect, it } from 'vitest';
import type { Claim } from '../../../core/reclaim/claim.ts';
import { claimKey } from '../../../core/reclaim/claim.ts';
import type { HolderClass } from '../../../core/reclaim/holder_class.ts';
import type { Observations } from '../../../core/reclaim/observations.ts';
import { planReclaim, type ReclaimPlan } from '../../../core/reclaim/plan.ts';
import { CLOCK_TOLERANCE } from '../../../core/reclaim/vet.ts';
import type { ActionSpec } from '../../../core/spec/mod.ts';
import { aProcess, aTarget, held, naming, STAMP, seen, socket, tcp, udp } from './builders.ts';

const CLASSES = [
  'own_earlier',
  'managed',
  'foreign',
  'protected',
  'unknown',
] as const satisfies HolderClass[];

const CLAIMS = [tcp(8080), tcp(9090, '127.0.0.1'), udp(53), socket('/run/shop.sock'), socket('@shop')];

function killOther(
  claims: readonly Claim[],
  process_filters: readonly string[] = [],
): ActionSpec['kill_other'] {
  return {
    ports: claims.flatMap((claim) => (claim.kind === 'socket' ? [] : claim)),
    sockets: claims.flatMap((claim) => (claim.kind === 'socket' ? claim.path : [])),
    process_filters,
  };
}

/** What the plan does about a process: stops it, waits for it, or leaves it and goes on. */
function verdict(plan: ReclaimPlan): 'stop' | 'wait' | 'leave' {
  if (plan.blocked !== null) return 'wait';
  return plan.steps.some((step) => step.type === 'stop') ? 'stop' : 'leave';
}

describe('holders of a claim of its own', () => {
  const permissions = {
    none: () => ({}),
    singleton: () => ({ singleton: true }),
    'kill_other with this claim': (claim: Claim) => ({ kill_other: killOther([claim]) }),
    'kill_other with another': () => ({ kill_other: killOther([tcp(1), udp(2), socket('/other')]) }),
    'an empty kill_other': () => ({ kill_other: killOther([]) }),
    both: (claim: Claim) => ({ singleton: true, kill_other: killOther([claim]) }),
  } satisfies Record<string, (claim: Claim) => Partial<ActionSpec>>;

  const expected: Record<HolderClass | 'unseen', readonly string[]> = {
    // none, singleton, kill_other with this, with another, empty, both
    own_earlier: ['stop', 'stop', 'stop', 'stop', 'stop', 'stop'],
    managed: ['wait', 'wait', 'wait', 'wait', 'wait', 'wait'],
    foreign: ['wait', 'stop', 'stop', 'wait', 'wait', 'stop'],
    protected: ['wait', 'wait', 'wait', 'wait', 'wait', 'wait'],
    unknown: ['wait', 'wait', 'wait', 'wait', 'wait', 'wait'],
    unseen: ['wait', 'wait', 'wait', 'wait', 'wait', 'wait'],
  };

  for (const [column, [permission, grant]] of Object.entries(permissions).entries()) {
    for (const holderClass of [...CLASSES, 'unseen'] as const) {
      const want = expected[holderClass][column];
      it(`${want}: ${holderClass}, permission: ${permission}`, () => {
        for (const claim of CLAIMS) {
          const process = holderClass === 'unseen' ? null : aProcess(700, holderClass);
          const plan = planReclaim(aTarget(grant(claim)), seen({ claims: [held(claim, process)] }));
          expect(verdict(plan), claimKey(claim)).toBe(want);
          if (want === 'stop') {
            expect(plan.steps).toMatchObject([{ type: 'stop', process, needed: true, claims: [claim] }]);
            expect(plan.steps).toMatchObject([
              { signal: holderClass === 'own_earlier' ? 'SIGINT' : 'SIGTERM', why: { code: 'RECLAIMED' } },
            ]);
          } else {
            expect(plan.steps).toEqual([]);
            expect(plan.blocked).toMatchObject({
              code: claim.kind === 'socket' ? 'SOCKET_HELD' : 'PORT_HELD',
              evidence: {
                claim: claimKey(claim),
                holder: process === null ? null : { pid: 700, start_time: 7000, class: holderClass },
                next: expect.any(String),
              },
            });
          }
        }
      });
    }
  }

  it('says who holds what, and what is missing', () => {
    const strangers = [
      { ...aProcess(4711, 'foreign'), command: 'nc -l 8080' },
      { ...aProcess(4712, 'foreign'), command: '' },
    ] as const;
    const message = (claims: Observations['claims'], action: Partial<ActionSpec> = {}) =>
      planReclaim(aTarget(action), seen({ claims })).blocked?.message;
    expect(message([held(tcp(8080), strangers[0])])).toBe(
      'port 8080 is held by pid 4711 (nc -l 8080), which upkeep may not stop: no kill_other or singleton',
    );
    expect(message([held(udp(53), strangers[1])], { kill_other: killOther([]) })).toBe(
      'UDP port 53 is held by pid 4712, which upkeep may not stop: kill_other does not list it, and it is no singleton',
    );
    expect(message([held(socket('/run/a'), aProcess(5, 'managed'))])).toContain('bank/ledger');
    expect(message([held(tcp(8080), null)])).toBe(
      'port 8080 is in use, by somebody who cannot be seen (EADDRINUSE)',
    );
  });

  it('counts a permission for an address where it is the claim or the one that is bound', () => {
    const action = { kill_other: { ports: [tcp(8080, '127.0.0.1')], sockets: [], process_filters: [] } };
    const stranger = aProcess(700, 'foreign');
    const at = (claim: Claim, address: string | null) =>
      verdict(
        planReclaim(
          aTarget(action),
          seen({
            claims: [
              { claim, own: true, state: 'held', sign: '', holders: [{ process: stranger, address }] },
            ],
          }),
        ),
      );
    expect(at(tcp(8080, '127.0.0.1'), '0.0.0.0')).toBe('stop');
    expect(at(tcp(8080), '127.0.0.1')).toBe('stop');
    expect(at(tcp(8080), '10.0.0.1')).toBe('wait');
    expect(at(tcp(8081), '127.0.0.1')).toBe('wait');
    expect(at(udp(8080), '127.0.0.1')).toBe('wait');
  });

  it('waits where nobody was seen holding what is in use', () => {
    const claims = [{ claim: tcp(8080), own: true, state: 'held', sign: 'EADDRINUSE', holders: [] }] as const;
    const plan = planReclaim(aTarget({ singleton: true }), seen({ claims, probe: null }));
    expect(plan.blocked).toMatchObject({ code: 'PORT_HELD', evidence: { holder: null, probe: null } });
  });

  it('waits where nothing tells whether it is free', () => {
    const claims = [{ claim: tcp(80), own: true, state: 'unclear', sign: 'EACCES' }] as const;
    expect(planReclaim(aTarget({ singleton: true }), seen({ claims })).blocked).toMatchObject({
      code: 'PROBE_UNAVAILABLE',
      evidence: { claim: 'tcp:80', sign: 'EACCES' },
    });
  });

  it('stops a process once, whatever it holds', () => {
    const process = aProcess(700, 'own_earlier');
    const claims = [held(tcp(8080), process), held(socket('/run/a'), process)];
    const plan = planReclaim(aTarget(), seen({ claims, left_behind: [process], pid_file: naming(process) }));
    expect(plan.steps).toMatchObject([{ type: 'stop', claims: [tcp(8080), socket('/run/a')], needed: true }]);
  });
});

describe('holders of a claim that only kill_other lists', () => {
  const expected = {
    own_earlier: 'stop',
    managed: 'leave',
    foreign: 'stop',
    protected: 'leave',
    unknown: 'leave',
  } as const;
  for (const holderClass of CLASSES) {
    it(`${expected[holderClass]}: ${holderClass}`, () => {
      for (const claim of CLAIMS) {
        const claims = [held(claim, aProcess(700, holderClass), false)];
        const plan = planReclaim(aTarget({ kill_other: killOther([claim]) }), seen({ claims }));
        expect(verdict(plan), claimKey(claim)).toBe(expected[holderClass]);
        if (expected[holderClass] === 'stop')
          expect(plan.steps).toMatchObject([{ needed: false, claims: [] }]);
      }
    });
  }

  it('never waits for what is out of sight there, and removes none of its files', () => {
    const claims = [
      held(tcp(1), null, false),
      { claim: tcp(2), own: false, state: 'unclear', sign: 'EACCES' },
      { claim: socket('/a'), own: false, state: 'stale', stamp: STAMP },
      { claim: socket('/b'), own: false, state: 'not_a_socket', found: 'a regular file' },
    ] as const;
    const plan = planReclaim(
      aTarget({ kill_other: killOther(claims.map(({ claim }) => claim)) }),
      seen({ claims }),
    );
    expect(plan).toEqual({ steps: [], blocked: null, notes: [] });
  });
});

describe('filters', () => {
  const expected = {
    own_earlier: 'stop',
    managed: 'leave',
    foreign: 'stop',
    protected: 'leave',
    unknown: 'leave',
  } as const;
  for (const holderClass of CLASSES) {
    it(`${expected[holderClass]}: ${holderClass}`, () => {
      const matched = [{ process: aProcess(700, holderClass), filter: 'program *' }];
      const plan = planReclaim(aTarget({ kill_other: killOther([], ['program *']) }), seen({ matched }));
      expect(verdict(plan)).toBe(expected[holderClass]);
    });
  }
});

describe('socket files', () => {
  it('unlinks a stale one and never what is no socket', () => {
    const stale = { claim: socket('/run/a'), own: true, state: 'stale', stamp: STAMP } as const;
    expect(planReclaim(aTarget(), seen({ claims: [stale] }))).toMatchObject({
      steps: [{ type: 'unlink_socket', path: '/run/a', stamp: STAMP, why: { code: 'RECLAIMED' } }],
      blocked: null,
    });
    const file = { claim: socket('/run/b'), own: true, state: 'not_a_socket', found: 'a symlink' } as const;
    const plan = planReclaim(aTarget({ singleton: true }), seen({ claims: [file, stale] }));
    expect(plan.blocked).toMatchObject({
      code: 'SOCKET_NOT_A_SOCKET',
      message: expect.stringContaining('a symlink'),
    });
    expect(plan.steps).toMatchObject([{ type: 'unlink_socket', path: '/run/a' }]);
  });
});

describe('while something blocks', () => {
  it('stops no stranger, but what is left of its own, and tells every reason', () => {
    const claims = [
      held(tcp(1), aProcess(11, 'managed')),
      held(tcp(2), aProcess(12, 'foreign')),
      held(tcp(3), aProcess(13, 'own_earlier')),
      held(tcp(4), aProcess(14, 'protected')),
    ];
    const matched = [{ process: aProcess(15, 'foreign'), filter: 'x' }];
    const left_behind = [aProcess(16, 'own_earlier')];
    const plan = planReclaim(aTarget({ singleton: true }), seen({ claims, matched, left_behind }));
    const pids = plan.steps.map((step) => (step.type === 'stop' ? step.process.identity.pid : 0));
    expect(pids).toEqual([13, 16]);
    expect(plan.blocked).toMatchObject({
      evidence: { claim: 'tcp:1', also: [expect.stringContaining('port 4')] },
    });
  });
});

describe('the PID file', () => {
  const early = { started_ms: 900_000 };
  const late = { started_ms: 1_000_000 + CLOCK_TOLERANCE + 1 };
  type Proof = 'program' | 'claim' | 'nothing' | 'out of sight';
  /** Every class × start × proof × singleton. `removed`: the file, and the process is left alone. */
  function outcome(
    holderClass: HolderClass,
    start: 'early' | 'late',
    proof: Proof,
    singleton: boolean,
  ): string {
    const process = aProcess(700, holderClass);
    const pid_file = naming(process, {
      ...(start === 'early' ? early : late),
      runs_action: proof === 'program',
    });
    // Held by a permitted stranger too, so that what is decided is about the file and not about the claim.
    const claims = {
      program: [],
      nothing: [held(tcp(1), aProcess(800, 'own_earlier'))],
      claim: [held(tcp(1), process)],
      'out of sight': [held(tcp(1), null)],
    }[proof];
    const plan = planReclaim(aTarget({ singleton }), seen({ pid_file, claims }));
    if (plan.steps.some((step) => step.type === 'remove_pid_file')) {
      expect(plan.steps.filter((step) => step.type === 'remove_pid_file')).toMatchObject([
        { stamp: STAMP, why: { code: 'PIDFILE_REUSED', evidence: { holder: { pid: 700 } } } },
      ]);
      return 'removed';
    }
    if (plan.steps.some((step) => step.type === 'stop' && step.process === process)) return 'stop';
    return plan.blocked === null ? 'nothing' : plan.blocked.code;
  }

  it('vets by identity and marker whatever the time; by program and claim only what was there in time', () => {
    for (const holderClass of CLASSES) {
      for (const start of ['early', 'late'] as const) {
        for (const proof of ['program', 'claim', 'nothing', 'out of sight'] as const) {
          for (const singleton of [false, true]) {
            const own = holderClass === 'own_earlier';
            const mayStop = own || (holderClass === 'foreign' && singleton);
            const vetted = own || (start === 'early' && (proof === 'program' || proof === 'claim'));
            const unseen = proof === 'out of sight';
            const want =
              proof === 'claim' && mayStop
                ? 'stop' // for the claim, before the file is looked at
                : vetted && unseen
                  ? 'stop' // its own, though something else blocks
                  : vetted
                    ? mayStop
                      ? 'stop'
                      : proof === 'claim'
                        ? 'PORT_HELD'
                        : 'PIDFILE_HELD'
                    : unseen && start === 'early'
                      ? 'PORT_HELD'
                      : 'removed';
            expect(
              outcome(holderClass, start, proof, singleton),
              `${holderClass} ${start} ${proof} ${singleton ? 'singleton' : ''}`,
            ).toBe(want);
          }
        }
      }
    }
  });

  it('allows for clocks that disagree a little', () => {
    const started_ms = 1_000_000 + CLOCK_TOLERANCE;
    const pid_file = naming(aProcess(700, 'foreign'), { started_ms, runs_action: true });
    expect(verdict(planReclaim(aTarget({ singleton: true }), seen({ pid_file })))).toBe('stop');
  });

  it('removes what names nothing or a dead process', () => {
    for (const pid_file of [naming(null), { state: 'invalid', stamp: STAMP } as const]) {
      expect(planReclaim(aTarget(), seen({ pid_file }))).toMatchObject({
        steps: [{ type: 'remove_pid_file', path: '/nowhere/shop.web.pid', why: { code: 'RECLAIMED' } }],
        blocked: null,
        notes: [],
      });
    }
  });

  it('leaves alone what is no PID file, and goes on', () => {
    const pid_file = { state: 'not_a_pid_file', found: 'a symlink' } as const;
    expect(planReclaim(aTarget({ singleton: true }), seen({ pid_file }))).toMatchObject({
      steps: [],
      blocked: null,
      notes: [{ code: 'PIDFILE_REUSED', evidence: { found: 'a symlink' } }],
    });
  });

  it('keeps the file of a process that is stopped for what it holds, though not for the file', () => {
    const process = aProcess(700, 'foreign');
    const plan = planReclaim(
      aTarget({ kill_other: killOther([tcp(8080)]) }),
      seen({ pid_file: naming(process), claims: [held(tcp(8080), process)] }),
    );
    expect(plan.blocked).toBeNull();
    expect(plan.steps).toMatchObject([{ type: 'stop', process }]);
  });
});
