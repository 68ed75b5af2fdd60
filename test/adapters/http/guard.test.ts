import { describe, expect, test } from 'vitest';
import { type Arrival, createGuard, isPublic } from '../../../adapters/http/guard.ts';
import type { Problem } from '../../../adapters/http/problem.ts';
import { newSecret } from '../../../core/access/secret.ts';
import { fakeAccess } from '../../core/operation/fake_control.ts';
import { FakeClock } from '../../support/fake_clock.ts';

function setUp() {
  const clock = new FakeClock();
  const { tokens } = fakeAccess({ clock });
  const { secret } = tokens.create({ name: 'ci', scope: 'operate' });
  const guard = createGuard({ hosts: ['127.0.0.1:8080', 'localhost:8080'], tokens, clock });
  return { clock, tokens, secret, guard };
}

type Headers = readonly (readonly [string, string])[];

function arrival(headers: Headers, method = 'GET'): Arrival {
  const first = Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), value]).reverse());
  return { method, headers: first, rawHeaders: headers.flat() };
}

const HOST = ['Host', '127.0.0.1:8080'] as const;

describe('the guard', () => {
  test.each([
    [[]],
    [[['Host', 'evil.com']]],
    [[['Host', 'evil.com:8080']]],
    [[['Host', '127.0.0.1']]],
    [[['Host', '127.0.0.1:8081']]],
    [[['Host', '127.0.0.1:8080.evil.com']]],
    [[['Host', '127.0.0.1:8080@evil.com']]],
    [[['Host', '0:8080']]],
    [[['Host', '']]],
    [[HOST, HOST]],
    [[HOST, ['host', 'evil.com']]],
    [[HOST, ['Origin', 'http://evil.com']]],
    [[HOST, ['Origin', 'null']]],
    [[HOST, ['Origin', '']]],
    [[HOST, ['Origin', 'https://127.0.0.1:8080']]],
    [[HOST, ['Origin', 'http://127.0.0.1:9090']]],
    [[HOST, ['Origin', 'http://localhost:8080']]],
    [[HOST, ['Origin', 'http://127.0.0.1:8080'], ['Origin', 'http://evil.com']]],
  ] as unknown as [Headers][])('forbids %j, whatever the token', async (headers) => {
    const { guard, secret } = setUp();
    for (const path of ['/v1/services', '/', '/docs']) {
      const admission = guard(arrival([...headers, ['Authorization', `Bearer ${secret}`]]), path);
      if (!('refusal' in admission)) return expect.unreachable('it was let in');
      expect(admission.refusal.status).toBe(403);
      const text = await admission.refusal.text();
      expect(text).toContain('urn:upkeep:problem:forbidden');
      expect(text).not.toContain('evil');
      expect([...admission.refusal.headers.keys()].join()).not.toContain('access-control');
    }
  });

  test.each([
    [[HOST]],
    [[['hOST', 'LOCALHOST:8080']]],
    [[HOST, ['Origin', 'http://127.0.0.1:8080']]],
    [
      [
        ['Host', 'localhost:8080'],
        ['Origin', 'http://LOCALHOST:8080'],
      ],
    ],
  ] as unknown as [Headers][])('lets %j in with a token', (headers) => {
    const { guard, secret } = setUp();
    for (const scheme of ['Bearer', 'bearer', 'BEARER ']) {
      expect(guard(arrival([...headers, ['Authorization', `${scheme} ${secret}`]]), '/v1/services')).toEqual({
        caller: { scope: 'operate', principal: 'ci' },
      });
    }
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic dXBrOnVwaw==',
    `Bearer ${newSecret()}`,
    `Bearer ${'x'.repeat(100_000)}`,
    'TOKEN',
    'Bearer TOKEN x',
    'xBearer TOKEN',
  ])('answers 401 to the authorization %j', async (authorization) => {
    const { guard, secret } = setUp();
    const headers: Headers =
      authorization === undefined
        ? [HOST]
        : [HOST, ['Authorization', authorization.replace('TOKEN', secret)]];
    const admission = guard(arrival(headers), '/v1/services');
    if (!('refusal' in admission)) return expect.unreachable('it was let in');
    expect(admission.refusal.status).toBe(401);
    expect(admission.refusal.headers.get('www-authenticate')).toMatch(/^Bearer realm="upkeep"/);
    expect(((await admission.refusal.json()) as Problem).type).toBe('urn:upkeep:problem:unauthorized');
  });

  test('two tokens at once are none', () => {
    const { guard, secret } = setUp();
    const headers: Headers = [HOST, ['Authorization', `Bearer ${secret}`], ['authorization', 'Bearer x']];
    expect(guard(arrival(headers), '/v1/services')).toHaveProperty('refusal.status', 401);
  });

  test('says of a token that was good once what became of it', async () => {
    const { guard, tokens, secret, clock } = setUp();
    const short = tokens.create({ name: 'short', scope: 'read', expires_in: 1000 }).secret;
    clock.advance(1000);
    tokens.revoke('ci');
    for (const [token, word] of [
      [secret, 'revoked'],
      [short, 'expired'],
    ]) {
      const admission = guard(arrival([HOST, ['Authorization', `Bearer ${token}`]]), '/v1/services');
      if (!('refusal' in admission)) return expect.unreachable('it was let in');
      expect(await admission.refusal.json()).toMatchObject({ detail: `the token is ${word}` });
    }
  });

  test('shows public pages to anybody, and nothing else', () => {
    const { guard } = setUp();
    expect(guard(arrival([HOST]), '/')).toEqual({ caller: null });
    expect(guard(arrival([HOST], 'POST'), '/')).toHaveProperty('refusal.status', 401);
    for (const path of ['/', '/docs', '/docs/x.js', '/openapi.json', '/assets/a.js', '/favicon.ico']) {
      expect([path, isPublic('GET', path)]).toEqual([path, true]);
    }
    for (const path of [
      '/healthz',
      '/readyz',
      '/metrics',
      '/mcp',
      '/rpc',
      '/v1/services',
      '/docsx',
      '//docs',
      '/x/docs',
    ]) {
      expect([path, isPublic('GET', path)]).toEqual([path, false]);
    }
  });
});

describe('who tries tokens', () => {
  const withToken = (secret: string) => arrival([HOST, ['Authorization', `Bearer ${secret}`]]);

  test('is soon told to wait, and for how long, and holds up nobody whose token is good', () => {
    const { guard, secret, clock } = setUp();
    const statuses = Array.from({ length: 12 }, () => {
      const admission = guard(withToken(newSecret()), '/v1/services');
      return 'refusal' in admission ? admission.refusal.status : 0;
    });
    expect(statuses).toEqual([...Array(10).fill(401), 429, 429]);
    const limited = guard(withToken('x'), '/');
    if (!('refusal' in limited)) return expect.unreachable('it was let in');
    expect(limited.refusal.headers.get('retry-after')).toBe('1');
    expect(guard(withToken(secret), '/v1/services')).toHaveProperty('caller.principal', 'ci');
    clock.advance(1000);
    expect(guard(withToken(newSecret()), '/v1/services')).toHaveProperty('refusal.status', 401);
    return undefined;
  });

  test('is not whoever has none', () => {
    const { guard } = setUp();
    for (let i = 0; i < 50; i++) {
      expect(guard(arrival([HOST]), '/v1/services')).toHaveProperty('refusal.status', 401);
    }
    expect(guard(withToken('wrong'), '/v1/services')).toHaveProperty('refusal.status', 401);
  });
});
