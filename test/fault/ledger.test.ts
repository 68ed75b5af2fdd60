import { describe, expect, it } from 'vitest';
import type { Client } from '../../adapters/client/client.ts';
import { Ledger } from './ledger.ts';
import { User } from './user.ts';

/** An upkeep that answers as it is told. */
function client(answers: Record<string, unknown>): Client {
  return { call: async (name: string) => answers[name], close: () => {} } as unknown as Client;
}

const job = (restart_count: number) => ({ id: 'j1', service: 'web', action: 'main', restart_count });
const answers = (seqs: readonly number[], restart_count: number): Client =>
  client({
    'event.list': { items: seqs.map((seq) => ({ seq })), next_cursor: null },
    'job.list': { items: [job(restart_count)], next_cursor: null },
  });

describe('the ledger', () => {
  it('takes down what goes on', async () => {
    const ledger = new Ledger();
    await ledger.look(answers([7, 8], 1));
    await ledger.look(answers([9], 1));
    await ledger.look(answers([], 2));
    expect(ledger.events.map(({ seq }) => seq)).toEqual([7, 8, 9]);
    expect(ledger.jobs.get('j1')?.restart_count).toBe(2);
  });

  it('has no restart_count that falls', async () => {
    const ledger = new Ledger();
    await ledger.look(answers([], 2));
    await expect(ledger.look(answers([], 1))).rejects.toThrow('of web/main (j1) fell from 2 to 1');
  });

  it.each([[[9, 11]], [[9, 9]]])('has no events with such numbers: %j', async (seqs) => {
    const ledger = new Ledger();
    await expect(ledger.look(answers(seqs, 0))).rejects.toThrow('one is lost');
  });
});

describe('a user', () => {
  const seen = (wanted: string, ofJob: string): Client =>
    client({
      'service.get': { wanted, run_id: 'r1' },
      'job.list': { items: [{ id: 'j1', action: 'main', phase: 'stopped', wanted: ofJob }] },
    });

  it.each([
    ['up', 'up', []],
    ['down', 'down', ['web is wanted down but was told up']],
    ['up', 'down', ['web is wanted up, but its main (j1, stopped) down']],
  ])('who wants it up and sees the service wanted %s and its job %s', async (wanted, ofJob, complaints) => {
    const user = new User('web', Math.random);
    await user.check(seen(wanted, ofJob));
    expect(user.complaints).toEqual(complaints);
  });
});
