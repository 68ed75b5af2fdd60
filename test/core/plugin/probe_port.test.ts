import { describe, expect, it } from 'vitest';
import type { Host, Processes } from '../../../core/host/host.ts';
import type { FoundHolder } from '../../../core/plugin/definition.ts';
import { provenAnswer } from '../../../core/plugin/probe_port.ts';
import { tcp } from '../reclaim/builders.ts';
import { FakeHost } from '../reclaim/fake_host.ts';

/** A process of pid 70, started at 700. */
function machine(changes: Partial<Processes> = {}, platform: NodeJS.Platform = 'linux'): Host {
  const host = new FakeHost({ pid: 70 });
  return { ...host, platform, processes: { ...host.processes, ...changes } };
}

const found = (changes: Partial<FoundHolder> = {}): FoundHolder => ({
  claim: tcp(80),
  pid: 70,
  fd: 3,
  inode: '11',
  ...changes,
});

/** Whom it believes in, asked at 1000. */
function proven(host: Host, ...holders: FoundHolder[]) {
  const answer = provenAnswer({ holders, complete: true }, 1000, host);
  return { pids: answer.holders.map(({ process }) => process?.pid ?? null), complete: answer.complete };
}

const BELIEVED = { pids: [70], complete: true };
const LOST = { pids: [], complete: false };

describe('what a probe found', () => {
  it('is believed where the descriptor is that socket, however young the process is', () => {
    const host = machine({ descriptor: () => 'socket:[11]' });
    expect(proven(host, found())).toEqual(BELIEVED);
    expect(provenAnswer({ holders: [found()], complete: true }, 0, host).holders).toHaveLength(1);
  });

  it('is not where the descriptor is another one, or none any more, however old the process is', () => {
    expect(proven(machine({ descriptor: () => '/dev/null' }), found())).toEqual(LOST);
    expect(proven(machine({ descriptor: () => null, descriptors: () => [] }), found())).toEqual(LOST);
  });

  it('is told by the clock where the descriptors cannot be seen, or the probe names none', () => {
    expect(proven(machine(), found())).toEqual(BELIEVED);
    expect(proven(machine({}, 'darwin'), found())).toEqual(BELIEVED);
    expect(proven(machine({ descriptor: () => '/dev/null' }), found({ fd: null }))).toEqual(BELIEVED);
    expect(provenAnswer({ holders: [found({ fd: null })], complete: true }, 0, machine()).holders).toEqual(
      [],
    );
  });

  it('makes the answer incomplete where nobody is left of those who were named for a claim', () => {
    const host = machine();
    expect(proven(host, found({ pid: 71 }))).toEqual(LOST);
    expect(proven(host, found({ pid: 71 }), found())).toEqual(BELIEVED);
    expect(proven(host, found(), found({ pid: 71, claim: tcp(81) }))).toEqual({
      pids: [70],
      complete: false,
    });
  });

  it('keeps whom nobody can see', () => {
    expect(proven(machine(), found({ pid: null }))).toEqual({ pids: [null], complete: true });
  });
});
