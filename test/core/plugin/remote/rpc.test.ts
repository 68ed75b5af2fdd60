import { expect, it } from 'vitest';
import { type Incoming, type Message, Rpc } from '../../../../core/plugin/remote/rpc.ts';

/** Two ends that hear each other, each through JSON. */
function pair(serve: (incoming: Incoming) => Promise<unknown>): { here: Rpc; sent: Message[] } {
  const sent: Message[] = [];
  const here: Rpc = new Rpc({
    send: (message) => {
      sent.push(message);
      there.receive(JSON.parse(JSON.stringify(message)));
    },
    serve: () => Promise.reject(new Error('nothing is served here')),
  });
  const there: Rpc = new Rpc({
    send: (message) => void here.receive(JSON.parse(JSON.stringify(message))),
    serve,
  });
  return { here, sent };
}

it('answers each call with its own answer, whichever comes first', async () => {
  const later = new Map<number, (value: unknown) => void>();
  const { here } = pair(({ id }) => new Promise((resolve) => later.set(id, resolve)));
  const [one, two] = [here.request('m', []), here.request('m', [])];
  later.get(two.id)?.('two');
  later.get(one.id)?.('one');
  expect(await Promise.all([one.answer, two.answer])).toEqual(['one', 'two']);
});

it('brings errors over with their name, their code and a bounded message', async () => {
  const { here } = pair(async ({ args: [what] }) => {
    if (what === 'text') throw 'only text';
    throw Object.assign(new RangeError('x'.repeat(10_000)), { code: 'ENOENT' });
  });
  await expect(here.request('m', ['error']).answer).rejects.toMatchObject({
    name: 'RangeError',
    code: 'ENOENT',
    message: `${'x'.repeat(2_000)}…`,
  });
  await expect(here.request('m', ['text']).answer).rejects.toMatchObject({
    message: 'only text',
    code: null,
  });
});

it('says so where an answer cannot be said in JSON', async () => {
  const { here } = pair(async () => ({ big: 1n }));
  await expect(here.request('m', []).answer).rejects.toThrow('BigInt');
});

it('aborts what nobody waits for any more; the answer may still come', async () => {
  const { here, sent } = pair(
    ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve('stopped'))),
  );
  const { id, answer } = here.request('m', []);
  here.cancel(id);
  expect(await answer).toBe('stopped');
  here.cancel(id);
  expect(sent).toHaveLength(2);
});

it('knows what it did not ask', () => {
  const { here } = pair(async () => null);
  expect(here.receive({ answer: 9, value: 1 })).toBe(false);
});

it('rejects everything once it is closed', async () => {
  const { here } = pair(() => new Promise(() => {}));
  const before = here.request('m', []).answer;
  here.close(new Error('over'));
  await expect(before).rejects.toThrow('over');
  await expect(here.request('m', []).answer).rejects.toThrow('over');
});
