import { describe, expect, test } from 'vitest';
import { OperationError } from '../../../core/operation/error.ts';
import { invoke } from '../../../core/operation/invoke.ts';
import type { OperationContext, Scope } from '../../../core/operation/operation.ts';
import type { OperationName } from '../../../core/operation/table.ts';
import { FakeControl } from './fake_control.ts';

function context(scope: Scope = 'admin'): OperationContext {
  return { actor: 'cli', scope, principal: 'unix', signal: new AbortController().signal };
}

async function failure(name: OperationName, raw: unknown, scope?: Scope, control = new FakeControl()) {
  const error = await invoke(control, name, raw, context(scope)).then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(OperationError);
  return error as OperationError;
}

describe('invoke', () => {
  test('runs a query', async () => {
    const service = await invoke(new FakeControl(), 'service.get', { name: 'web' }, context('read'));
    expect(service.state).toBe('up');
  });

  test('hands the actor of a command on', async () => {
    const control = new FakeControl();
    const answer = await invoke(control, 'service.restart', { name: 'web' }, context());
    expect(answer).toMatchObject({ service: { name: 'web' }, settled: null });
    expect(control.calls).toEqual([['restart', 'web', 'cli']]);
  });

  test('waits where asked, and says how it ended', async () => {
    const control = new FakeControl();
    control.settles = false;
    const answer = await invoke(control, 'service.start', { name: 'web', wait: true, timeout: 5 }, context());
    expect(answer.settled).toBe(false);
    expect(control.calls).toEqual([
      ['start', 'web', 'cli'],
      ['settled', 'web', 5],
    ]);
  });

  test('names every fault of an input at once', async () => {
    const error = await failure('job.log', { tail: -1, grep: 7, colour: 'red' });
    expect(error.code).toBe('invalid_input');
    expect(error.issues.map(({ path, rule, value }) => `${path} ${rule} ${value}`).sort()).toEqual([
      'colour unknown_key "red"',
      'grep string 7',
      'id required nothing',
      'tail min_value -1',
    ]);
  });

  test.each([
    ['service.why', { service: 'web' }, "(did you mean 'name'?)"],
    ['service.get', { nmae: 'web' }, "(did you mean 'name'?)"],
    ['service.start', { name: 'web', wiat: true }, "(did you mean 'wait'?)"],
    // Not what is given already, not where the value would not do, not where two are missing.
    ['service.start', { name: 'web', names: 'api' }, ''],
    ['service.why', { verbose: true }, ''],
    ['job.signal', { service: 'web' }, ''],
  ] as const)('says which key of %s was meant by one of %j', async (name, raw, hint) => {
    const { issues } = await failure(name, raw);
    const [issue] = issues.filter(({ rule }) => rule === 'unknown_key');
    expect(issue?.message).toBe(['is not known here', hint].filter((part) => part !== '').join(' '));
  });

  test.each([
    ['a key that names a secret', { name: 'web', api_token: 'hunter2' }],
    ['a long text', { name: 'web', timeout: 'hunter2'.repeat(20) }],
    ['a list', { name: ['hunter2'] }],
    ['an object', { name: { password: 'hunter2' } }],
  ])('does not repeat %s', async (_, raw) => {
    const error = await failure('service.start', raw);
    expect(JSON.stringify([error.message, error.issues])).not.toContain('hunter2');
  });

  test.each([null, undefined, [], 'web', 7, true, new Date(0)])('refuses %s as an input', async (raw) => {
    expect((await failure('service.get', raw)).code).toBe('invalid_input');
  });

  test('suggests the name that was meant', async () => {
    const error = await failure('service.why', { name: 'wbe' });
    expect(error).toMatchObject({ code: 'not_found', suggestion: 'web' });
    expect(error.message).toBe("no service 'wbe'; did you mean 'web'?");
  });

  test('suggests nothing where nothing is near', async () => {
    expect(await failure('service.get', { name: 'completely-else' })).toMatchObject({
      code: 'not_found',
      suggestion: null,
      message: "no service 'completely-else'",
    });
  });

  test('a scope reaches as far as it says', async () => {
    expect((await failure('service.stop', { name: 'web' }, 'read')).code).toBe('forbidden');
    expect((await failure('daemon.shutdown', {}, 'operate')).code).toBe('forbidden');
    await invoke(new FakeControl(), 'service.stop', { name: 'web' }, context('operate'));
  });

  test('a refused command does nothing', async () => {
    const control = new FakeControl();
    await failure('service.stop', { name: 'web' }, 'read', control);
    await failure('service.stop', { name: 'web', timeout: 'soon' }, 'admin', control);
    expect(control.calls).toEqual([]);
  });

  test('a fault inside is told without its words', async () => {
    const control = new FakeControl();
    control.failure = new Error('the database password is hunter2');
    const error = await failure('service.list', {}, 'admin', control);
    expect(error.code).toBe('internal');
    expect(error.message).not.toContain('hunter2');
    expect(error.cause).toBe(control.failure);
  });

  test('what a subscription names must be there before it is read', async () => {
    expect((await failure('job.log', { id: 'nope' })).code).toBe('not_found');
  });

  test('a failure while a subscription is read has a code as well', async () => {
    const control = new FakeControl();
    control.log = async function* () {
      yield Buffer.from('one\n');
      throw new Error('disk');
    };
    const chunks = await invoke(control, 'job.log', { id: 'job-web' }, context());
    const read = (async () => {
      for await (const _ of chunks);
    })();
    await expect(read).rejects.toMatchObject({ name: 'OperationError', code: 'internal' });
  });

  test('a shutdown is answered while it goes on', async () => {
    const control = new FakeControl();
    control.waiting = ['web/main'];
    expect(await invoke(control, 'daemon.shutdown', {}, context())).toEqual({ waiting_for: ['web/main'] });
    expect(control.calls).toEqual([['shutdown', 'cli']]);
    control.endStopped();
  });

  test.each([
    [{ tcp_port: 80 }, { kind: 'tcp', address: null, port: 80 }],
    [{ udp_port: 53 }, { kind: 'udp', address: null, port: 53 }],
    [{ socket: '@name' }, { kind: 'socket', path: '@name' }],
  ])('holder.find %j asks for %j', async (input, claim) => {
    const control = new FakeControl();
    await invoke(control, 'holder.find', input, context());
    expect(control.calls).toEqual([['holders', claim]]);
  });

  test.each([
    {},
    { tcp_port: 1, udp_port: 1 },
    { tcp_port: 0 },
    { tcp_port: 65536 },
    { socket: 'relative' },
    { socket: '/a\0b' },
  ])('holder.find refuses %j', async (input) => {
    expect((await failure('holder.find', input)).code).toBe('invalid_input');
  });
});
