import { describe, expect, it } from 'vitest';
import { inTheWay } from '../../../core/heal/in_the_way.ts';
import { reason } from '../../../core/job/reason.ts';
import type { Observations } from '../../../core/reclaim/mod.ts';
import { aProcess, held, naming, socket, tcp } from '../reclaim/builders.ts';
import { actionFacts, inTheWay as look } from './builders.ts';

const FOREIGN = aProcess(4711, 'foreign');
const told = (seen: Partial<Observations>): unknown[] =>
  inTheWay(actionFacts({ reclaim: look(seen) })).map(({ what, message, holder }) => [
    what,
    message,
    holder?.['pid'] ?? null,
  ]);

describe('what is in the way of a start', () => {
  it('nothing, where nothing was seen or nobody looked', () => {
    expect(inTheWay(actionFacts())).toEqual([]);
    expect(inTheWay(actionFacts({ state: 'running' }))).toEqual([]);
  });

  it('a program that cannot be started', () => {
    const obstacle = reason('COMMAND_NOT_FOUND', 'no program nginx', {});
    expect(inTheWay(actionFacts({ obstacle }))).toEqual([
      { what: 'program', message: 'no program nginx', holder: null },
    ]);
  });

  it('each holder of a claim, with what is known of it', () => {
    const [found] = inTheWay(actionFacts({ reclaim: look({ claims: [held(tcp(80), FOREIGN)] }) }));
    expect(found).toMatchObject({
      what: 'tcp:80',
      message: `port 80 is held by pid 4711 (${FOREIGN.command})`,
      holder: { pid: 4711, command: FOREIGN.command, class: 'foreign', start_time: expect.any(Number) },
    });
    const two = [held(tcp(80), FOREIGN), held(tcp(81), aProcess(4712, 'managed'))];
    expect(told({ claims: two }).map((entry) => (entry as unknown[])[2])).toEqual([4711, 4712]);
  });

  it('a claim in use by nobody that can be seen, no socket, and what cannot be told', () => {
    const own = true;
    expect(
      told({
        claims: [
          { own, state: 'held', claim: tcp(80), sign: 'EADDRINUSE', holders: [] },
          { own, state: 'held', claim: tcp(81), sign: 'x', holders: [{ process: null, address: null }] },
          { own, state: 'not_a_socket', claim: socket('/run/a'), found: 'a folder' },
          { own, state: 'unclear', claim: socket('/run/b'), sign: 'EACCES' },
          { own, state: 'free', claim: tcp(82) },
        ],
      }),
    ).toEqual([
      ['tcp:80', 'port 80 is in use, and nobody can be seen', null],
      ['tcp:81', 'port 81 is in use, and nobody can be seen', null],
      ['socket:/run/a', 'socket /run/a is a folder and no socket', null],
      ['socket:/run/b', 'whether socket /run/b is free cannot be told', null],
    ]);
  });

  it('a stranger that the PID file names, but nobody that is gone or its own', () => {
    expect(told({ pid_file: naming(FOREIGN) })).toEqual([
      ['pid_file', `the PID file names pid 4711 (${FOREIGN.command})`, 4711],
    ]);
    expect(told({ pid_file: naming(aProcess(12, 'own_earlier')) })).toEqual([]);
    expect(told({ pid_file: { state: 'absent' } })).toEqual([]);
  });

  it('what an earlier incarnation has left', () => {
    const [entry] = told({ left_behind: [aProcess(12, 'own_earlier')] });
    expect(entry).toEqual([
      'left_behind',
      expect.stringContaining('of an earlier incarnation still lives'),
      12,
    ]);
  });
});
