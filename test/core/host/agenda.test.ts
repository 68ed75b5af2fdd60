import { describe, expect, it } from 'vitest';
import { Agenda } from '../../../core/host/agenda.ts';
import { FakeClock } from '../../support/fake_clock.ts';

function setUp(): { clock: FakeClock; agenda: Agenda; ran: string[]; note: (name: string) => () => void } {
  const clock = new FakeClock();
  const ran: string[] = [];
  const note = (name: string) => (): void => {
    ran.push(`${name}@${clock.now}`);
  };
  return { clock, agenda: new Agenda(clock), ran, note };
}

describe('Agenda', () => {
  it('runs each appointment at its time, in order, behind one timer', () => {
    const { clock, agenda, ran, note } = setUp();
    for (const at of [50, 10, 30, 20, 40]) agenda.set(`k${at}`, at, note(`k${at}`));
    expect(clock.pending).toBe(1);
    clock.advance(35);
    expect(ran).toEqual(['k10@10', 'k20@20', 'k30@30']);
    expect(clock.pending).toBe(1);
    clock.advance(100);
    expect(ran).toHaveLength(5);
    expect(clock.pending).toBe(0);
  });

  it('moves an appointment when its key is set again', () => {
    const { clock, agenda, ran, note } = setUp();
    agenda.set('a', 10, note('early'));
    agenda.set('a', 30, note('late'));
    clock.advance(20);
    expect(ran).toEqual([]);
    clock.advance(20);
    expect(ran).toEqual(['late@30']);
  });

  it('forgets what is deleted, also in the turn in which it is due', () => {
    const { clock, agenda, ran, note } = setUp();
    agenda.set('a', 10, () => agenda.delete('b'));
    agenda.set('b', 10, note('b'));
    agenda.set('c', 10, note('c'));
    clock.advance(10);
    expect(ran).toEqual(['c@10']);
  });

  it('lets a task set itself anew without starving the others', () => {
    const { clock, agenda, ran, note } = setUp();
    let turns = 0;
    const again = (): void => {
      turns += 1;
      if (turns < 5) agenda.set('again', clock.now, again);
    };
    agenda.set('again', 5, again);
    agenda.set('other', 5, note('other'));
    clock.advance(5);
    expect(ran).toEqual(['other@5']);
    expect(turns).toBe(5);
  });

  it('keeps its order over thousands of random appointments', () => {
    const { clock, agenda } = setUp();
    const seen: number[] = [];
    let seed = 7;
    const next = (): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return seed % 10_000;
    };
    for (let index = 0; index < 3_000; index += 1) {
      const at = next();
      agenda.set(`k${index % 2_000}`, at, () => seen.push(at));
    }
    clock.advance(10_000);
    expect(seen).toHaveLength(2_000);
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
  });
});
