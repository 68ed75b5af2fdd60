import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../core/store/records.ts';
import { causalChain } from '../../../core/supervisor/causal_chain.ts';
import { fakeEvent } from '../operation/fake_control.ts';

function chain(events: readonly EventRecord[], head: number, limit = 10): number[] {
  const bySeq = new Map(events.map((event) => [event.seq, event]));
  const found = bySeq.get(head);
  if (found === undefined) throw new Error(`no event ${head}`);
  return causalChain(found, {
    lookUp: (seq) => bySeq.get(seq) ?? null,
    before: ({ seq }) => events.findLast((event) => event.seq < seq) ?? null,
    limit,
  }).map(({ seq }) => seq);
}

const event = (seq: number, cause: number | null, actor: EventRecord['actor'] = 'core'): EventRecord =>
  fakeEvent(seq, { cause, actor });

describe('the chain of causes', () => {
  it('goes back to the first event, past others, oldest first', () => {
    expect(chain([event(1, null), event(2, 1), event(3, null), event(4, 2)], 4)).toEqual([1, 2, 4]);
  });

  it('is as long as it may be', () => {
    const events = Array.from({ length: 20 }, (_, index) => event(index + 1, index === 0 ? null : index));
    expect(chain(events, 20, 3)).toEqual([18, 19, 20]);
  });

  it('ends with what somebody asked for, and the command that it is a part of', () => {
    const events = [event(1, null), event(2, 1), event(3, null, 'cli'), event(4, 3, 'cli'), event(5, 4)];
    expect(chain(events, 5)).toEqual([3, 4, 5]);
    expect(chain([event(1, null), event(2, 1, 'cli'), event(3, 2)], 3)).toEqual([2, 3]);
    // What somebody else asked for before is another story.
    expect(chain([event(1, null, 'http'), event(2, 1, 'cli'), event(3, 2)], 3)).toEqual([2, 3]);
  });

  it('goes on with what came before where an upkeep that came back knew of no cause', () => {
    expect(chain([event(1, null), event(2, 1), event(5, null), event(6, 5)], 6)).toEqual([1, 2, 5, 6]);
  });

  it('ends where a cause is not kept any more', () => {
    expect(chain([event(5, 4), event(6, 5)], 6)).toEqual([5, 6]);
  });

  it('is never walked round in a ring, whatever a damaged store says', () => {
    expect(chain([event(1, 2), event(2, 1)], 2)).toEqual([1, 2]);
    expect(chain([event(3, 3)], 3)).toEqual([3]);
  });
});
