/**
 * What every notifier must do, whatever its way of telling is.
 */
import assert from 'node:assert/strict';
import { toJsonSchema } from '@valibot/to-json-schema';
import * as v from 'valibot';
import type { Notifier } from '../../core/plugin/notifier.ts';
import type { EventRecord } from '../../core/store/records.ts';
import type { ContractCase } from './contract_case.ts';

/** Somebody who is told, and what he makes of it. */
export interface Listener {
  /** Options, as they may stand in a service file, by which he is told. */
  readonly options: Readonly<Record<string, unknown>>;
  /** The events that have reached him, as he understood them. */
  heard(): unknown[] | Promise<unknown[]>;
  /** Resolves once somebody has begun to tell him. */
  begun(): Promise<void>;
  /** What is left of those who told him, a line each: processes, connections. */
  left(): string[] | Promise<string[]>;
  close(): Promise<void>;
}

/** A notifier, and the machine that its suite needs. */
export interface NotifierWorld {
  readonly notifier: Notifier;
  /** Somebody who takes what he is told, refuses it, or never answers. */
  listen(mood: 'takes' | 'refuses' | 'hangs'): Promise<Listener>;
  /** Options by which nobody can be told, as nobody is there. */
  readonly nobody: Readonly<Record<string, unknown>>;
}

const EVENT: EventRecord = {
  seq: 4711,
  time: 1_767_225_600_123,
  service: 'shop',
  action: 'web',
  job_id: 'j1',
  incarnation: 3,
  from: 'running',
  to: 'stopping',
  code: 'UNHEALTHY',
  message: 'is "not" well: é, 漢字, \u{1f680}, a\nnew line, $HOME, `x`, \'; exit 0',
  evidence: { failures: 3, nested: { list: [1, null, 'x'] } },
  actor: 'core',
  cause: 4700,
};

const BARE: EventRecord = {
  ...EVENT,
  seq: 1,
  service: null,
  action: null,
  job_id: null,
  incarnation: null,
  from: null,
  to: null,
  evidence: {},
  cause: null,
};

/** The suite for one notifier. */
export function notifierCases({ notifier, listen, nobody }: NotifierWorld): readonly ContractCase[] {
  const tell = async (options: object, event: EventRecord, signal = new AbortController().signal) =>
    notifier.notify(event, v.parse(notifier.options, options), signal);
  const withListener = async (
    mood: Parameters<NotifierWorld['listen']>[0],
    use: (listener: Listener) => Promise<void>,
  ): Promise<void> => {
    const listener = await listen(mood);
    try {
      await use(listener);
    } finally {
      await listener.close();
    }
  };
  return [
    {
      name: 'has a name, a summary and options that a service file can show',
      run() {
        assert.match(notifier.name, /^[a-z][a-z0-9_]*$/);
        assert.match(notifier.summary, /^[A-Z].*\.$/s);
        for (const [name, field] of Object.entries(notifier.options.entries)) {
          assert.ok(!['type', 'events', 'services', 'min_interval'].includes(name), name);
          const { description } = toJsonSchema(field, { typeMode: 'input', ignoreActions: ['raw_check'] });
          assert.match(description ?? '', /^\S.*\.$/s, `the option ${name} must have a description`);
        }
        assert.equal(v.safeParse(notifier.options, { no_such_option: 1 }).success, false);
      },
    },
    {
      name: 'tells the event as it is, once',
      run: () =>
        withListener('takes', async (listener) => {
          await tell(listener.options, EVENT);
          assert.deepEqual(await listener.heard(), [EVENT]);
        }),
    },
    {
      name: 'tells an event that is about no service',
      run: () =>
        withListener('takes', async (listener) => {
          await tell(listener.options, BARE);
          assert.deepEqual(await listener.heard(), [BARE]);
        }),
    },
    {
      name: 'tells an event that is very large, without its evidence if need be',
      run: () =>
        withListener('takes', async (listener) => {
          const evidence = { text: 'x'.repeat(300_000) };
          await tell(listener.options, { ...EVENT, evidence });
          const [heard] = (await listener.heard()) as EventRecord[];
          assert.ok(heard !== undefined);
          assert.deepEqual({ ...heard, evidence: {} }, { ...EVENT, evidence: {} });
        }),
    },
    {
      name: 'tells several in turn',
      run: () =>
        withListener('takes', async (listener) => {
          for (const seq of [1, 2, 3]) await tell(listener.options, { ...EVENT, seq });
          const heard = (await listener.heard()) as EventRecord[];
          assert.deepEqual(
            heard.map(({ seq }) => seq),
            [1, 2, 3],
          );
        }),
    },
    {
      name: 'throws where it is refused',
      run: () =>
        withListener('refuses', async (listener) => {
          await assert.rejects(tell(listener.options, EVENT), Error);
        }),
    },
    {
      name: 'throws where nobody is there',
      async run() {
        await assert.rejects(tell(nobody, EVENT), Error);
      },
    },
    {
      name: 'ends when the signal aborts, and leaves nothing behind',
      run: () =>
        withListener('hangs', async (listener) => {
          const abort = new AbortController();
          const told = assert.rejects(tell(listener.options, EVENT, abort.signal));
          await listener.begun();
          abort.abort(new Error('not waited for any more'));
          await told;
          assert.deepEqual(await listener.left(), []);
        }),
    },
    {
      name: 'does not begin where the signal has aborted already, or ends at once',
      run: () =>
        withListener('hangs', async (listener) => {
          await assert.rejects(tell(listener.options, EVENT, AbortSignal.abort(new Error('too late'))));
          assert.deepEqual(await listener.left(), []);
        }),
    },
    {
      name: 'leaves nothing behind when it has told',
      run: () =>
        withListener('takes', async (listener) => {
          await tell(listener.options, EVENT);
          assert.deepEqual(await listener.left(), []);
        }),
    },
  ];
}
