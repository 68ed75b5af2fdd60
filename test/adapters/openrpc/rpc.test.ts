import { beforeEach, describe, expect, test } from 'vitest';
import { answerRpc, BATCH_LIMIT } from '../../../adapters/openrpc/rpc.ts';
import { invoke } from '../../../core/operation/invoke.ts';
import type { Scope } from '../../../core/operation/operation.ts';
import { FakeControl } from '../../core/operation/fake_control.ts';

let control: FakeControl;
let scope: Scope;
let reported: unknown[];

beforeEach(() => {
  control = new FakeControl();
  scope = 'admin';
  reported = [];
});

async function send(message: unknown): Promise<unknown> {
  const answer = await answerRpc(typeof message === 'string' ? message : JSON.stringify(message), {
    call: (name, input) =>
      invoke(control, name, input, {
        actor: 'http',
        principal: 'unix',
        scope,
        signal: new AbortController().signal,
      }),
    discover: async () => 'the document',
    report: (error) => reported.push(error),
  });
  return answer === null ? null : JSON.parse(answer);
}

function call(method: string, params?: unknown, id: unknown = 1): object {
  return { jsonrpc: '2.0', id, method, ...(params === undefined ? {} : { params }) };
}

const invalid = { jsonrpc: '2.0', id: null, error: { code: -32600, message: 'Invalid Request' } };

describe('one request', () => {
  test('is answered with its id', async () => {
    expect(await send(call('health.get', {}, 'a'))).toEqual({
      jsonrpc: '2.0',
      id: 'a',
      result: control.health(),
    });
  });

  test.each([[0], [-1], ['7'], [''], [null], [1.5]])('the id %j comes back as it is', async (id) => {
    expect(await send(call('health.get', undefined, id))).toMatchObject({ id, result: { status: 'ok' } });
  });

  test('without an id it is carried out and not answered, whatever becomes of it', async () => {
    expect(await send({ jsonrpc: '2.0', method: 'service.stop', params: { name: 'web' } })).toBeNull();
    expect(await send({ jsonrpc: '2.0', method: 'service.stop', params: { name: 'nope' } })).toBeNull();
    expect(await send({ jsonrpc: '2.0', method: 'nope' })).toBeNull();
    expect(control.calls).toEqual([['stop', 'web', 'http']]);
  });

  test.each([
    [null],
    [1],
    ['"text"'],
    [{}],
    [{ jsonrpc: '2.0', id: 1 }],
    [{ jsonrpc: '1.0', id: 1, method: 'health.get' }],
    [{ id: 1, method: 'health.get' }],
    [call('health.get', 'text')],
    [call('health.get', null)],
    [{ ...call('health.get'), id: {} }],
    [{ ...call('health.get'), id: true }],
    [{ jsonrpc: '2.0', method: 1, params: 'bar' }],
  ])('%j is none', async (message) => {
    expect(await send(message)).toEqual(invalid);
  });

  test.each(['', '{', '{"jsonrpc": "2.0", "method": "foobar, "params": "bar", "baz]', 'nonsense'])(
    '%j is no JSON',
    async (text) => {
      expect(await send(text)).toEqual({
        jsonrpc: '2.0',
        id: null,
        error: { code: -32700, message: 'Parse error' },
      });
    },
  );

  test.each(['nope', 'constructor', '__proto__', 'event.stream', 'job.log', ''])(
    'there is no method %j',
    async (method) => {
      expect(await send(call(method))).toMatchObject({ id: 1, error: { code: -32601 } });
    },
  );

  test('a near miss is suggested', async () => {
    expect(await send(call('service.lst'))).toMatchObject({
      error: { code: -32601, data: { suggestion: 'service.list' } },
    });
  });

  test('discovers', async () => {
    expect(await send(call('rpc.discover'))).toMatchObject({ result: 'the document' });
  });
});

describe('parameters', () => {
  test.each([[undefined], [{}], [[]]])('%j are none', async (params) => {
    expect(await send(call('health.get', params))).toMatchObject({ result: { status: 'ok' } });
  });

  test('are given by name', async () => {
    expect(await send(call('service.get', ['web']))).toMatchObject({ error: { code: -32602 } });
    expect(await send(call('service.get', { name: 'web' }))).toMatchObject({ result: { name: 'web' } });
  });

  test('what is wrong with them is told as HTTP does', async () => {
    expect(await send(call('service.start', { name: 'web', timeout: -1 }))).toMatchObject({
      error: {
        code: -32602,
        data: { type: 'urn:upkeep:problem:invalid-input', issues: [{ path: 'timeout', rule: 'min_value' }] },
      },
    });
    expect(control.calls).toEqual([]);
  });
});

describe('failures', () => {
  test('of an operation have codes of their own and the problem', async () => {
    expect(await send(call('service.get', { name: 'wbe' }))).toMatchObject({
      error: {
        code: -32001,
        message: "no service 'wbe'; did you mean 'web'?",
        data: { code: 'not_found', suggestion: 'web' },
      },
    });
    scope = 'read';
    expect(await send(call('service.stop', { name: 'web' }))).toMatchObject({ error: { code: -32002 } });
  });

  test('of upkeep itself are told without their words, and reported', async () => {
    control.failure = new Error('hunter2');
    const answer = await send(call('service.list'));
    expect(answer).toMatchObject({ id: 1, error: { code: -32603, data: { code: 'internal' } } });
    expect(JSON.stringify(answer)).not.toContain('hunter2');
    expect(reported).toEqual([control.failure]);
  });

  test('even where it cannot describe itself', async () => {
    const answer = await answerRpc(JSON.stringify(call('rpc.discover')), {
      call: () => Promise.reject(new Error('not asked')),
      discover: () => Promise.reject(new Error('hunter2')),
      report: (error) => reported.push(error),
    });
    expect(JSON.parse(answer ?? '')).toEqual({
      jsonrpc: '2.0',
      id: 1,
      error: { code: -32603, message: 'Internal error' },
    });
    expect(reported).toHaveLength(1);
  });
});

describe('a batch', () => {
  test('is carried out in order, and answered but for its notifications', async () => {
    const answers = await send([
      call('service.stop', { name: 'web' }, 'a'),
      { jsonrpc: '2.0', method: 'service.start', params: { name: 'api' } },
      1,
      call('nope', undefined, 'b'),
      call('service.restart', { name: 'worker' }, 'c'),
    ]);
    expect(answers).toMatchObject([
      { id: 'a', result: {} },
      invalid,
      { id: 'b', error: {} },
      { id: 'c', result: {} },
    ]);
    expect(control.calls).toEqual([
      ['stop', 'web', 'http'],
      ['start', 'api', 'http'],
      ['restart', 'worker', 'http'],
    ]);
  });

  test('of notifications is not answered', async () => {
    expect(await send([{ jsonrpc: '2.0', method: 'service.start', params: { name: 'api' } }])).toBeNull();
  });

  test('of nothing is none', async () => {
    expect(await send([])).toMatchObject({ id: null, error: { code: -32600 } });
  });

  test('of too many is none, and nothing of it is carried out', async () => {
    const stop = call('service.stop', { name: 'web' });
    expect(await send(Array(BATCH_LIMIT + 1).fill(stop))).toMatchObject({
      id: null,
      error: { code: -32600 },
    });
    expect(control.calls).toEqual([]);
    expect(await send(Array(BATCH_LIMIT).fill(stop))).toHaveLength(BATCH_LIMIT);
  });

  test('of nonsense is answered each for itself', async () => {
    expect(await send([1, 2, 3])).toEqual([invalid, invalid, invalid]);
  });
});
