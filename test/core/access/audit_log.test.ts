import { describe, expect, test } from 'vitest';
import { AuditLog } from '../../../core/access/audit_log.ts';
import { auditTarget } from '../../../core/access/audited.ts';
import { pruneAudit } from '../../../core/store/prune.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { MemoryAccessStore } from './memory_store.ts';

const ATTEMPT = { operation: 'service.stop', target: 'web', actor: 'http', principal: 'ci' } as const;

function setUp(store = new MemoryAccessStore()) {
  const clock = new FakeClock();
  return { store, clock, audit: new AuditLog({ store, clock }) };
}

describe('the audit', () => {
  test('has a record once the outcome is known, with how long it took', () => {
    const { audit, clock } = setUp();
    const time = clock.wall();
    const ended = audit.begin(ATTEMPT);
    expect(audit.list({})).toEqual([]);
    clock.advance(12.3456);
    ended('failed', 'not_found');
    expect(audit.list({})).toEqual([
      { seq: 1, time, ...ATTEMPT, outcome: 'failed', code: 'not_found', duration: 12.346 },
    ]);
  });

  test('goes on with its numbers, and is read from any of them', () => {
    const { store, audit } = setUp();
    for (let i = 0; i < 3; i++) audit.begin(ATTEMPT)('done', null);
    const again = setUp(store).audit;
    again.begin(ATTEMPT)('done', null);
    const seqs = (query: object) => again.list(query).map(({ seq }) => seq);
    expect(seqs({})).toEqual([1, 2, 3, 4]);
    expect(seqs({ limit: 2 })).toEqual([3, 4]);
    expect(seqs({ after: 1, limit: 2 })).toEqual([2, 3]);
    expect(seqs({ after: 4 })).toEqual([]);
  });

  test('keeps what a failing store does not take, within bounds, and hands it over later', () => {
    const { store, audit } = setUp();
    store.works = false;
    for (let i = 0; i < 1005; i++) audit.begin({ ...ATTEMPT, target: `s${i}` })('done', null);
    expect(audit.list({ limit: 1 })).toMatchObject([{ target: 's1004' }]);
    expect(audit.list({})).toHaveLength(1000);
    store.works = true;
    audit.mended();
    expect(setUp(store).audit.list({})).toHaveLength(1000);
  });

  test('shows what is stored and what waits as one', () => {
    const { store, audit } = setUp();
    audit.begin({ ...ATTEMPT, target: 'stored' })('done', null);
    const { tell } = store;
    store.tell = () => false;
    audit.begin({ ...ATTEMPT, target: 'waits' })('done', null);
    expect(audit.list({}).map(({ target }) => target)).toEqual(['stored', 'waits']);
    expect(audit.list({ limit: 1 }).map(({ target }) => target)).toEqual(['waits']);
    expect(audit.list({ after: 0, limit: 1 }).map(({ target }) => target)).toEqual(['stored']);
    store.tell = tell;
    audit.begin(ATTEMPT)('done', null);
    expect(
      setUp(store)
        .audit.list({})
        .map(({ target }) => target),
    ).toEqual(['stored', 'waits', 'web']);
  });

  test('is bounded by count and by age, and its newest record stays for its number', () => {
    const { store, audit, clock } = setUp();
    for (let i = 0; i < 700; i++) {
      clock.advance(1);
      audit.begin(ATTEMPT)('done', null);
    }
    const limits = { max_records: 100, max_age: 1_000_000 };
    const now = clock.wall();
    expect(pruneAudit(store.database, limits, now)).toBe(true);
    while (pruneAudit(store.database, limits, now));
    expect(audit.list({}).map(({ seq }) => seq)).toEqual(Array.from({ length: 100 }, (_, i) => 601 + i));
    while (pruneAudit(store.database, { ...limits, max_age: 10 }, now));
    expect(audit.list({})).toHaveLength(11);
    while (pruneAudit(store.database, limits, now + 10_000_000));
    expect(audit.list({})).toMatchObject([{ seq: 700 }]);
  });
});

describe('of an input', () => {
  test.each([
    [{ name: 'web', timeout: 5 }, 'web'],
    [{ id: 'job-1', signal: 'SIGHUP' }, 'job-1'],
    [{ service: 'web' }, 'web'],
    [{ spec: { env: { PASSWORD: 'hunter2' } } }, null],
    [{ name: { password: 'hunter2' } }, null],
    [{ name: 'x'.repeat(257) }, null],
    [Object.create({ name: 'inherited' }), null],
    ['hunter2', null],
    [null, null],
  ])('%j only %j is kept', (raw, target) => {
    expect(auditTarget(raw)).toBe(target);
  });
});
