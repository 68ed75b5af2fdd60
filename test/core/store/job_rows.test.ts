import { describe, expect, it } from 'vitest';
import { type Job, PHASES } from '../../../core/job/job.ts';
import type { SqlValue } from '../../../core/store/database.ts';
import { JOB_COLUMNS, jobFromRow, jobValues } from '../../../core/store/job_rows.ts';
import { UnreadableRow } from '../../../core/store/row_reader.ts';
import { aJob, asStored, IDENTITY, PHASE_STATES } from './support.ts';

type Row = Parameters<typeof jobFromRow>[0];

function rowOf(job: Job, changes: Record<string, SqlValue> = {}): Row {
  const values = jobValues(job);
  const row = Object.fromEntries(JOB_COLUMNS.map((column, i) => [column, values[i] ?? null]));
  return { ...row, ...changes } as Row;
}

describe('job rows', () => {
  it('have a sample of every phase here', () => {
    expect(new Set(PHASE_STATES.map(({ phase }) => phase))).toEqual(new Set(PHASES));
  });

  it.each(PHASE_STATES)('keep all but the deadline: %j', (state) => {
    const job = aJob({}, state);
    expect(jobFromRow(rowOf(job))).toEqual(asStored(job));
    expect(String(rowOf(job).phase_state)).not.toContain('12.5');
  });

  it('keep what is null', () => {
    const job = aJob({
      started_at: null,
      ready_at: null,
      finished_at: null,
      exit_code: null,
      exit_signal: 'SIGKILL',
      last_identity: null,
    });
    expect(jobFromRow(rowOf(job))).toEqual(job);
  });

  it('take whole ms only', () => {
    expect(jobFromRow(rowOf(aJob({ created_at: 1.4, started_at: 2.6 })))).toMatchObject({
      created_at: 1,
      started_at: 3,
    });
  });

  it('take evidence that JSON has no word for', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    const store = (evidence: Record<string, unknown>) =>
      jobFromRow(rowOf(aJob({ reason: { code: 'EXITED', message: 'm', evidence } }))).reason;
    expect(store({ inode: 12n }).evidence).toEqual({ inode: '12' });
    expect(store({ circle }).evidence).toEqual({ circle: { self: '[seen before]' } });
  });

  const running = aJob({}, { phase: 'running', identity: IDENTITY, stable: true, deadline: null });
  it.each<[string, Record<string, SqlValue>]>([
    ['a phase that there is not', { phase: 'dancing' }],
    ['a wanted that there is not', { wanted: 'sideways' }],
    ['a phase that is not text', { phase: 3 }],
    ['a number that is text', { restart_count: 'three' }],
    ['a state that is not JSON', { phase_state: '{"identity":' }],
    ['a state that is no object', { phase_state: '[]' }],
    ['a state without what the phase owns', { phase_state: '{}' }],
    [
      'an identity whose pid is a fraction',
      { phase_state: '{"identity":{"boot_id":"b","pid":1.5,"start_time":1},"stable":true,"deadline":null}' },
    ],
    ['half of an identity', { last_boot_id: null }],
    ['a reason with an unknown code', { reason: '{"code":"BORED","message":"","evidence":{}}' }],
    ['a reason without evidence', { reason: '{"code":"EXITED","message":""}' }],
  ])('are refused for %s', (_what, changes) => {
    expect(() => jobFromRow(rowOf(running, changes))).toThrow(UnreadableRow);
  });
});
