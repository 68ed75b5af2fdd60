/**
 * What `invoke` keeps of commands, and what it refuses where nothing may be changed.
 */
import { beforeEach, describe, expect, test } from 'vitest';
import { invoke } from '../../../core/operation/invoke.ts';
import type { OperationContext } from '../../../core/operation/operation.ts';
import { OPERATIONS, type OperationName } from '../../../core/operation/table.ts';
import { FakeControl, fakeAccess } from './fake_control.ts';

let control: FakeControl;

beforeEach(() => {
  control = new FakeControl();
});

function call(name: OperationName, raw: unknown, changes: Partial<OperationContext> = {}): Promise<unknown> {
  const signal = new AbortController().signal;
  const context = { actor: 'http', scope: 'admin', principal: 'ci', signal, ...changes } as const;
  return invoke(control, name, raw, context).catch((error) => error.code);
}

const commands = (Object.keys(OPERATIONS) as OperationName[]).filter(
  (name) => OPERATIONS[name].kind === 'command',
);

function audited(): object[] {
  return control.access.audit.list({}).map(({ seq: _, time: __, duration: ___, ...rest }) => rest);
}

describe('the audit', () => {
  const who = { actor: 'http', principal: 'ci' };

  test('has every command, allowed, refused or failed, and no query', async () => {
    await call('service.stop', { name: 'web' });
    await call('service.stop', { name: 'web' }, { scope: 'read' });
    await call('service.stop', { name: 'web', timeout: 'soon' });
    await call('service.stop', { name: 'nope' });
    await call('service.list', {});
    await call('daemon.shutdown', {}, { actor: 'cli', principal: 'unix' });
    expect(audited()).toEqual([
      { operation: 'service.stop', target: 'web', ...who, outcome: 'done', code: null },
      { operation: 'service.stop', target: 'web', ...who, outcome: 'refused', code: 'forbidden' },
      { operation: 'service.stop', target: 'web', ...who, outcome: 'refused', code: 'invalid_input' },
      { operation: 'service.stop', target: 'nope', ...who, outcome: 'failed', code: 'not_found' },
      {
        operation: 'daemon.shutdown',
        target: null,
        actor: 'cli',
        principal: 'unix',
        outcome: 'done',
        code: null,
      },
    ]);
  });

  test('says that something went wrong inside, and not what', async () => {
    control.restart = () => {
      throw new Error('hunter2');
    };
    await call('service.restart', { name: 'web' });
    expect(audited()).toMatchObject([{ outcome: 'failed', code: 'internal' }]);
    expect(JSON.stringify(audited())).not.toContain('hunter2');
  });

  test('has nothing of an input but what it was aimed at', async () => {
    for (const name of commands) {
      await call(name, { name: 'web', spec: 'hunter2', password: 'hunter2', expires_in: 'hunter2' });
    }
    expect(audited()).toHaveLength(commands.length);
    expect(JSON.stringify(audited())).not.toContain('hunter2');
  });

  test('has no token, though it was made by a command', async () => {
    const answer = (await call('token.create', { name: 'deploy', scope: 'read' })) as { secret: string };
    expect(audited()).toMatchObject([{ operation: 'token.create', target: 'deploy', outcome: 'done' }]);
    expect(JSON.stringify(audited())).not.toContain(answer.secret);
  });

  test('is read by the owner alone', async () => {
    for (const name of ['audit.list', 'token.list', 'token.create', 'token.revoke'] as const) {
      expect(await call(name, {}, { scope: 'operate' })).toBe('forbidden');
    }
  });

  test('comes in pages', async () => {
    for (let i = 0; i < 5; i++) await call('service.start', { name: 'web' });
    const first = await call('audit.list', { after: 0, limit: 3 });
    expect(first).toMatchObject({ items: [{ seq: 1 }, { seq: 2 }, { seq: 3 }], next_cursor: '3' });
    expect(await call('audit.list', { after: 3, limit: 3 })).toMatchObject({
      items: [{ seq: 4 }, { seq: 5 }],
      next_cursor: null,
    });
  });
});

describe('read-only', () => {
  beforeEach(() => {
    control.access = fakeAccess({ read_only: true });
  });

  test.each(commands)('%s is refused, whoever gives it', async (name) => {
    const input = { name: 'web', scope: 'read' };
    expect(await call(name, input)).toBe('forbidden');
    expect(await call(name, input, { principal: 'unix' })).toBe('forbidden');
    expect(control.calls).toEqual([]);
    expect(audited()).toMatchObject([{ outcome: 'refused' }, { outcome: 'refused' }]);
  });

  test('it is said why', async () => {
    const signal = new AbortController().signal;
    const context = { actor: 'http', scope: 'admin', principal: 'ci', signal } as const;
    await expect(invoke(control, 'service.stop', { name: 'web' }, context)).rejects.toThrow(
      'service.stop changes something, and upkeep was started with --read-only',
    );
  });

  test('looking goes on', async () => {
    expect(await call('service.get', { name: 'web' }, { scope: 'read' })).toMatchObject({ name: 'web' });
  });

  test('the owner ends upkeep by the command line, as by a signal', async () => {
    await call('daemon.shutdown', {}, { actor: 'cli', principal: 'unix' });
    expect(control.calls).toEqual([['shutdown', 'cli']]);
    // A name is no right: only the socket is.
    expect(await call('daemon.shutdown', {}, { actor: 'cli', principal: 'ci' })).toBe('forbidden');
  });

  test('what would be done is told all the same, where there is such a question', async () => {
    expect(await call('service.heal', { name: 'web', dry_run: true })).toEqual(control.healPlan);
    for (const [name, input] of changes) {
      expect(await call(name, { ...input, dry_run: true })).toEqual(control.change);
      expect(control.calls.pop()).toContainEqual({ dry_run: true });
    }
    expect(await call('service.stop', { name: 'web', dry_run: true })).toBe('forbidden');
  });
});

const changes: [OperationName, object][] = [
  ['spec.apply', { spec: {} }],
  ['service.put', { name: 'web', spec: {} }],
  ['service.delete', { name: 'web' }],
];

describe('a rehearsal', () => {
  const plan = { name: 'web', dry_run: true };

  test('of healing is for whoever may read, and is no command', async () => {
    expect(await call('service.heal', plan, { scope: 'read' })).toEqual(control.healPlan);
    expect(control.calls).toEqual([['heal.plan', 'web']]);
    expect(audited()).toEqual([]);
  });

  test.each([
    { confirm: true },
    { plan_id: 'h1' },
    { dry_run: 'true' },
    { dry_run: 1 },
    { dry_run: false },
    {},
  ])('%j is none', async (input) => {
    expect(await call('service.heal', { name: 'web', ...input }, { scope: 'read' })).toBe('forbidden');
    expect(control.calls).toEqual([]);
    expect(audited()).toMatchObject([{ outcome: 'refused' }]);
  });

  test.each([{ confirm: true }, { plan_id: 'h1' }])('cannot be more than that as well: %j', async (more) => {
    expect(await call('service.heal', { ...plan, ...more }, { scope: 'read' })).toBe('invalid_input');
    expect(control.calls).toEqual([]);
  });

  test.each(changes)(
    'of %s takes what the change takes, as plugins are loaded for it',
    async (name, input) => {
      expect(await call(name, { ...input, dry_run: true }, { scope: 'operate' })).toBe('forbidden');
      expect(control.calls).toEqual([]);
      expect(await call(name, { ...input, dry_run: true })).toEqual(control.change);
      expect(audited()).toEqual([]);
    },
  );

  test('is none of what knows no such thing', async () => {
    expect(await call('service.stop', plan, { scope: 'read' })).toBe('forbidden');
    expect(await call('service.stop', plan)).toBe('invalid_input');
    expect(audited()).toHaveLength(2);
  });
});

describe('tokens by their operations', () => {
  test.each(['', '.x', 'a b', 'a/b', 'unix', 'x'.repeat(65), 'ünï', '../etc', 'a\0'])(
    'none can be called %j',
    async (name) => {
      expect(await call('token.create', { name, scope: 'read' })).toBe('invalid_input');
    },
  );

  test.each([0, 999, 1.5, -1, Number.POSITIVE_INFINITY, 4e11, '1h'])('none is good for %j ms', async (ms) => {
    expect(await call('token.create', { name: 'a', scope: 'read', expires_in: ms })).toBe('invalid_input');
  });

  test('made, listed, taken back', async () => {
    const { token } = (await call('token.create', { name: 'a', scope: 'read' })) as { token: object };
    expect(await call('token.list', {})).toEqual({ items: [token], next_cursor: null });
    expect(await call('token.create', { name: 'a', scope: 'read' })).toBe('conflict');
    expect(await call('token.revoke', { name: 'a' })).toMatchObject({ state: 'revoked' });
    expect(await call('token.revoke', { name: 'b' })).toBe('not_found');
  });
});
