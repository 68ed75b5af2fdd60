import { describe, expect, it } from 'vitest';
import type { EventRecord } from '../../../core/store/records.ts';
import { jobNotes, StandingNotes } from '../../../core/supervisor/notes.ts';
import { aJob } from '../job/builders.ts';
import { fakeEvent } from '../operation/fake_control.ts';

const SUBJECT = { service: 'web', action: 'main', process: true };
const job = aJob({ phase: 'stopped' }, { restart_count: 3 });

function note(seq: number, changes: Partial<EventRecord> = {}): EventRecord {
  return fakeEvent(seq, { from: 'running', to: 'running', incarnation: 3, code: 'RECLAIMED', ...changes });
}

const told = (events: readonly EventRecord[]): [string, number][] =>
  jobNotes(job, events, 'EXITED', SUBJECT).map(({ code, seq }) => [code, seq]);

describe('the notes of a job', () => {
  it('are the newest of each code, newest first', () => {
    const events = [note(1), note(2, { code: 'LOG_LOSSY' }), note(3), note(4, { code: 'HEALTHY' })];
    expect(told(events)).toEqual([
      ['HEALTHY', 4],
      ['RECLAIMED', 3],
      ['LOG_LOSSY', 2],
    ]);
  });

  it('leave out changes of phase, commands, waiting, and what the explanation is about', () => {
    expect(
      told([
        note(1, { from: 'starting' }),
        note(2, { code: 'REQUESTED' }),
        note(3, { code: 'WANTED_DOWN' }),
        note(4, { code: 'DEPENDENCY_WAIT' }),
        note(5, { code: 'EXITED' }),
      ]),
    ).toEqual([]);
  });

  it('leave out what is about incarnations long gone', () => {
    const events = [note(1, { incarnation: 1 }), note(2, { incarnation: 2, code: 'LOG_LOSSY' })];
    expect(told(events)).toEqual([['LOG_LOSSY', 2]]);
  });
});

describe('the notes on upkeep itself', () => {
  it('are of no service, or of plugins; the newest of each code', () => {
    const standing = new StandingNotes();
    standing.hear(fakeEvent(1, { service: null, code: 'STORE_DEGRADED' }));
    standing.hear(fakeEvent(2, { service: 'plugin:x', code: 'PLUGIN_FAILED' }));
    standing.hear(fakeEvent(3, { service: 'plugin:x', code: 'EXITED' }));
    standing.hear(fakeEvent(4, { service: null, code: 'REQUESTED' }));
    standing.hear(fakeEvent(5, { service: 'web', code: 'LOG_LOSSY' }));
    standing.hear(fakeEvent(6, { service: null, code: 'STORE_DEGRADED' }));
    expect(standing.notes('web').map(({ code, seq }) => [code, seq])).toEqual([
      ['STORE_DEGRADED', 6],
      ['PLUGIN_FAILED', 2],
    ]);
  });
});
