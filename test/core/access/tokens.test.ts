import { describe, expect, test } from 'vitest';
import { hashOf, isSecret, newSecret } from '../../../core/access/secret.ts';
import { MAX_TOKENS, Tokens } from '../../../core/access/tokens.ts';
import { Agenda } from '../../../core/host/agenda.ts';
import { readTokens } from '../../../core/store/token_rows.ts';
import { FakeClock } from '../../support/fake_clock.ts';
import { MemoryAccessStore } from './memory_store.ts';

function setUp(store = new MemoryAccessStore()) {
  const clock = new FakeClock();
  return { store, clock, tokens: new Tokens({ store, clock, agenda: new Agenda(clock) }) };
}

const DAY = 24 * 3_600_000;

describe('a token', () => {
  test('is 256 random bits, of which only a hash is stored', () => {
    const { tokens, store } = setUp();
    const { token, secret } = tokens.create({ name: 'ci', scope: 'operate' });
    expect(isSecret(secret)).toBe(true);
    expect(Buffer.from(secret.slice(4), 'base64url')).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
    expect(token).toMatchObject({ name: 'ci', scope: 'operate', state: 'live', last_used_at: null });
    const [row] = readTokens(store.database);
    expect(row?.hash).toBe(hashOf(secret));
    expect(JSON.stringify([store.ask(readTokens, []), tokens.list()])).not.toContain(secret);
    expect(JSON.stringify(tokens.list())).not.toContain(row?.hash);
  });

  test('opens what it is for, and nothing near it does', () => {
    const { tokens } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'read' });
    tokens.create({ name: 'other', scope: 'admin' });
    expect(tokens.verify(secret)).toEqual({ token: { name: 'ci', scope: 'read' } });
    const last = secret.endsWith('A') ? 'B' : 'A';
    for (const wrong of ['', secret.slice(0, -1), `${secret}x`, secret.slice(0, -1) + last, newSecret()]) {
      expect(tokens.verify(wrong)).toEqual({ fault: 'unknown' });
    }
  });

  test('expires by itself', () => {
    const { tokens, clock } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'read', expires_in: 1000 });
    clock.advance(999);
    expect(tokens.verify(secret)).toHaveProperty('token');
    clock.advance(1);
    expect(tokens.verify(secret)).toEqual({ fault: 'expired' });
    expect(tokens.list()).toMatchObject([{ state: 'expired' }]);
  });

  test('can be taken back, once and for all', () => {
    const { tokens, clock } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'read' });
    const revoked = tokens.revoke('ci');
    expect(revoked).toMatchObject({ state: 'revoked', revoked_at: clock.wall() });
    clock.advance(1000);
    expect(tokens.revoke('ci')).toEqual(revoked);
    expect(tokens.verify(secret)).toEqual({ fault: 'revoked' });
  });

  test('has its name to itself while it lives', () => {
    const { tokens } = setUp();
    const first = tokens.create({ name: 'ci', scope: 'read' });
    expect(() => tokens.create({ name: 'ci', scope: 'admin' })).toThrow(/already/);
    tokens.revoke('ci');
    const second = tokens.create({ name: 'ci', scope: 'admin' });
    expect(tokens.verify(first.secret)).toEqual({ fault: 'unknown' });
    expect(tokens.verify(second.secret)).toEqual({ token: { name: 'ci', scope: 'admin' } });
  });

  test('that nobody knows cannot be taken back; the one that was meant is named', () => {
    const { tokens } = setUp();
    tokens.create({ name: 'deploy', scope: 'read' });
    expect(() => tokens.revoke('delpoy')).toThrow(
      expect.objectContaining({ code: 'not_found', suggestion: 'deploy' }),
    );
  });

  test('is one of so many at most, and old ones make room', () => {
    const { tokens, clock } = setUp();
    for (let i = 0; i < MAX_TOKENS; i++)
      tokens.create({ name: `t${i}`, scope: 'read', ...(i === 0 ? { expires_in: 1000 } : {}) });
    expect(() => tokens.create({ name: 'more', scope: 'read' })).toThrow(/the most/);
    clock.advance(91 * DAY);
    tokens.create({ name: 'more', scope: 'read' });
    expect(tokens.list()).toHaveLength(MAX_TOKENS);
    expect(tokens.list().some(({ name }) => name === 't0')).toBe(false);
  });
});

describe('what a token has open', () => {
  test('ends when it is taken back', () => {
    const { tokens } = setUp();
    tokens.create({ name: 'a', scope: 'read' });
    tokens.create({ name: 'b', scope: 'read' });
    const ended: string[] = [];
    tokens.onEnd('a', () => ended.push('a1'));
    const forget = tokens.onEnd('a', () => ended.push('a2'));
    tokens.onEnd('b', () => ended.push('b'));
    forget();
    tokens.revoke('a');
    tokens.revoke('a');
    expect(ended).toEqual(['a1']);
  });

  test('ends when it expires, also in a year', () => {
    const { tokens, clock } = setUp();
    tokens.create({ name: 'a', scope: 'read', expires_in: 365 * DAY });
    let ended = 0;
    tokens.onEnd('a', () => ended++);
    clock.advance(365 * DAY - 1);
    expect(ended).toBe(0);
    clock.advance(1);
    expect(ended).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('ends when the clock is set past its expiry, within the hour', () => {
    const { tokens, clock } = setUp();
    tokens.create({ name: 'a', scope: 'read', expires_in: DAY });
    let ended = 0;
    tokens.onEnd('a', () => ended++);
    clock.wallOffset += 2 * DAY;
    clock.advance(3_600_000);
    expect(ended).toBe(1);
  });

  test('ends when another one takes its place', () => {
    const { tokens } = setUp();
    tokens.adopt(newSecret());
    let ended = 0;
    tokens.onEnd('initial', () => ended++);
    tokens.adopt(newSecret());
    expect(ended).toBe(1);
  });
});

describe('the store', () => {
  test('hands them on to the next upkeep', () => {
    const { tokens, store } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'operate', expires_in: DAY });
    tokens.create({ name: 'gone', scope: 'read' });
    tokens.revoke('gone');
    const again = setUp(store).tokens;
    expect(again.list()).toEqual(tokens.list());
    expect(again.verify(secret)).toHaveProperty('token');
  });

  test('is not written to at each use', () => {
    const { tokens, store, clock } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'read' });
    const before = store.writes;
    for (let i = 0; i < 1000; i++) tokens.verify(secret);
    expect(store.writes).toBe(before);
    clock.advance(60_000);
    for (let i = 0; i < 1000; i++) tokens.verify(secret);
    expect(store.writes).toBe(before + 1);
    clock.advance(5);
    tokens.verify(secret);
    tokens.close();
    expect(readTokens(store.database)).toMatchObject([{ last_used_at: clock.wall() }]);
  });

  test('that fails locks nobody out, and gets everything once it works', () => {
    const { tokens, store } = setUp();
    const kept = tokens.create({ name: 'kept', scope: 'read' });
    const taken = tokens.create({ name: 'taken', scope: 'read' });
    store.works = false;
    const made = tokens.create({ name: 'made', scope: 'read' });
    tokens.revoke('taken');
    expect(tokens.verify(kept.secret)).toHaveProperty('token');
    expect(tokens.verify(made.secret)).toHaveProperty('token');
    expect(tokens.verify(taken.secret)).toEqual({ fault: 'revoked' });
    store.works = true;
    tokens.mended();
    expect(setUp(store).tokens.list()).toEqual(tokens.list());
  });

  test('that could not be read at first is not written over', () => {
    const { tokens: earlier, store } = setUp();
    const { secret } = earlier.create({ name: 'earlier', scope: 'read' });
    store.works = false;
    const { tokens } = setUp(store);
    store.works = true;
    tokens.create({ name: 'new', scope: 'read' });
    expect(readTokens(store.database).map(({ name }) => name)).toEqual(['earlier']);
    tokens.mended();
    expect(readTokens(store.database).map(({ name }) => name)).toEqual(['earlier', 'new']);
    expect(tokens.verify(secret)).toHaveProperty('token');
  });

  test('with a row that says nothing sensible lets nobody in by it', () => {
    const { tokens, store } = setUp();
    const { secret } = tokens.create({ name: 'ci', scope: 'read' });
    store.database.run("UPDATE tokens SET scope = 'root'");
    expect(setUp(store).tokens.verify(secret)).toEqual({ fault: 'unknown' });
  });
});

describe('the token of the state folder', () => {
  test('may do everything, and is the same one the next time', () => {
    const { tokens, store } = setUp();
    const secret = newSecret();
    expect(tokens.adopt(secret)).toBe(true);
    expect(tokens.verify(secret)).toEqual({ token: { name: 'initial', scope: 'admin' } });
    const writes = store.writes;
    expect(setUp(store).tokens.adopt(secret)).toBe(true);
    expect(store.writes).toBe(writes);
  });

  test('is no good any more once it was taken back', () => {
    const { tokens } = setUp();
    const secret = newSecret();
    tokens.adopt(secret);
    tokens.revoke('initial');
    expect(tokens.adopt(secret)).toBe(false);
    expect(tokens.adopt(newSecret())).toBe(true);
  });
});
