import { describe, expect, it } from 'vitest';
import type { Message } from '../../../../core/plugin/remote/rpc.ts';
import { parseMessage, WireFault, WireReader } from '../../../../core/plugin/remote/wire.ts';

const LIMITS = { message: 100, bytes: 1_000, messages: 10 };

function reader(): { read(text: string): Message[]; later(ms: number): void } {
  let now = 0;
  const wire = new WireReader(LIMITS, () => now);
  return {
    read: (text) => [...wire.read(Buffer.from(text))],
    later: (ms) => {
      now += ms;
    },
  };
}

/** The kind of the fault that it throws. */
function faultOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof WireFault) return error.kind;
    throw error;
  }
  return 'none';
}

describe('WireReader', () => {
  it('reads messages however their bytes are cut, within characters too', () => {
    const bytes = Buffer.from('{"cancel":1}\n{"answer":2,"value":"ü€𝄞"}\n');
    for (let size = 1; size <= bytes.length; size++) {
      const wire = new WireReader(LIMITS, () => 0);
      const messages: Message[] = [];
      for (let from = 0; from < bytes.length; from += size) {
        messages.push(...wire.read(bytes.subarray(from, from + size)));
      }
      expect(messages).toEqual([{ cancel: 1 }, { answer: 2, value: 'ü€𝄞' }]);
    }
  });

  it('takes a message of the largest size, and no larger one, whole or not', () => {
    const of = (size: number): string => `{"answer":1,"value":"${'x'.repeat(size - 23)}"}`;
    expect(of(100)).toHaveLength(100);
    expect(reader().read(`${of(100)}\n`)).toHaveLength(1);
    expect(faultOf(() => reader().read(`${of(101)}\n`))).toBe('flood');
    expect(faultOf(() => reader().read('x'.repeat(101)))).toBe('flood');
  });

  it('takes so many bytes a second, after a pause as many at once', () => {
    const wire = reader();
    const fill = (): Message[] => wire.read(`${' '.repeat(87)}{"cancel":1}\n`);
    for (let count = 0; count < 10; count++) fill();
    expect(faultOf(fill)).toBe('flood');
    const other = reader();
    for (let count = 0; count < 20; count++) {
      other.read(`${' '.repeat(87)}{"cancel":1}\n`);
      other.later(100);
    }
    other.later(1_000_000);
    expect(faultOf(() => other.read('\n'.repeat(1_001)))).toBe('flood');
  });

  it('takes so many messages a second', () => {
    const wire = reader();
    expect(wire.read('{"cancel":1}\n'.repeat(10))).toHaveLength(10);
    wire.later(100);
    expect(wire.read('{"cancel":1}\n')).toHaveLength(1);
    expect(faultOf(() => wire.read('{"cancel":1}\n'))).toBe('flood');
  });
});

describe('parseMessage', () => {
  it.each([
    { call: 1, method: 'm', args: [], within: null },
    { call: 1, method: 'm', args: [1, 'a', { b: [null] }], within: 7 },
    { answer: 1, value: null },
    { answer: 1, error: { name: 'E', message: 'm', code: null } },
    { cancel: 0 },
  ])('takes %j', (message) => {
    expect(parseMessage(JSON.stringify(message))).toEqual(message);
  });

  it.each([
    '',
    '{',
    'null',
    '7',
    '[]',
    '{}',
    '{"call":1}',
    '{"call":-1,"method":"m","args":[],"within":null}',
    '{"call":1.5,"method":"m","args":[],"within":null}',
    '{"call":1,"method":7,"args":[],"within":null}',
    '{"call":1,"method":"m","args":{},"within":null}',
    '{"call":1,"method":"m","args":[1,2,3,4,5,6,7,8,9],"within":null}',
    '{"answer":1}',
    '{"answer":1,"value":1,"error":{"name":"E","message":"m","code":null}}',
    '{"answer":1,"error":"E"}',
    '{"cancel":"1"}',
    '{"cancel":1,"more":1}',
    `{"answer":1,"value":${'['.repeat(40)}${']'.repeat(40)}}`,
  ])('refuses %j', (line) => {
    expect(faultOf(() => parseMessage(line))).toBe('nonsense');
  });

  it('leaves out every key that means something to the language, however it is spelt', () => {
    const line =
      '{"answer":1,"value":{"__proto__":{"a":1},"\\u005f_proto__":1,"constructor":1,"b":[{"prototype":1,"c":2}]}}';
    const message = parseMessage(line) as { value: object };
    expect(message).toEqual({ answer: 1, value: { b: [{ c: 2 }] } });
    expect(Object.getPrototypeOf(message.value)).toBe(Object.prototype);
  });
});
