import { describe, expect, it } from 'vitest';
import { WORTH_TELLING } from '../../../core/spec/notify_field.ts';
import { accepted, refused } from './support.ts';

/** A file with the services `shop` and `mail`, and these rules. */
function fileWith(notify: unknown): string {
  const service = { actions: { a: { run: 'x' } } };
  return JSON.stringify({ services: { shop: service, mail: service }, notify });
}

function verdicts(notify: unknown): string[] {
  return refused(fileWith(notify)).map(({ path, rule, message }) => `${path} ${rule}: ${message}`);
}

describe('notify in a service file', () => {
  it('may be left out', () => {
    expect(accepted('services: {s: {actions: {a: {run: x}}}}').notify).toEqual([]);
    expect(accepted(fileWith([])).notify).toEqual([]);
  });

  it('is filled in with what all notifiers have in common', () => {
    expect(accepted(fileWith([{ type: 'bell' }])).notify).toStrictEqual([
      { type: 'bell', events: WORTH_TELLING, services: null, min_interval: 0, options: { tone: 'high' } },
    ]);
  });

  it('takes what it is given', () => {
    const rule = {
      type: 'bell',
      events: ['UNHEALTHY', 'EXITED'],
      services: ['shop'],
      min_interval: '5m',
      tone: 'low',
    };
    expect(accepted(fileWith([rule, { type: 'bell' }])).notify).toMatchObject([
      {
        type: 'bell',
        events: ['UNHEALTHY', 'EXITED'],
        services: ['shop'],
        min_interval: 300_000,
        options: { tone: 'low' },
      },
      { type: 'bell' },
    ]);
  });

  it.each([
    [{ type: 'bell' }, 'notify type: must be a list'],
    [['bell'], 'notify[0] type: must be a map'],
    [[{}], 'notify[0].type required: is required'],
    [[{ type: 'bel' }], "notify[0].type choice: must be one of bell (did you mean 'bell'?)"],
    [[{ type: 'bell', tune: 1 }], "notify[0].tune unknown_key: is not known here (did you mean 'tone'?)"],
    [[{ type: 'bell', tone: 1 }], 'notify[0].tone type: must be text'],
    [
      [{ type: 'bell', min_interval: 5 }],
      'notify[0].min_interval duration: must be a duration with its unit such as 100ms, 30s, 5m or 1m30s; only 0 needs none',
    ],
    [
      [{ type: 'bell', services: ['shpo'] }],
      "notify[0].services[0] known_service: must be a service of this file (did you mean 'shop'?)",
    ],
    [[{ type: 'bell', services: 'shop' }], 'notify[0].services type: must be a list'],
  ])('%j: %s', (notify, expected) => {
    expect(verdicts(notify)).toEqual([expected]);
  });

  it('knows every code, but for its own, and which one was meant', () => {
    const [issue] = refused(fileWith([{ type: 'bell', events: ['UNHEALTY'] }]));
    expect(issue).toMatchObject({ path: 'notify[0].events[0]', rule: 'choice', value: '"UNHEALTY"' });
    expect(issue?.message).toMatch(/\(did you mean 'UNHEALTHY'\?\)$/);
    expect(verdicts([{ type: 'bell', events: ['NOTIFY_DEGRADED'] }])).toHaveLength(1);
  });

  it('is checked though something else is wrong', () => {
    const text = 'services: {shop: {actions: {a: {rum: x}}}}\nnotify: [{type: bell, services: [shpo]}]';
    expect(refused(text).map(({ path }) => path)).toEqual([
      'services.shop.actions.a.run',
      'services.shop.actions.a.rum',
      'notify[0].services[0]',
    ]);
  });

  it('never shows what a notifier takes: addresses are secrets', () => {
    for (const notify of [
      [{ type: 'bell', tone: ['hunter2'] }],
      [{ type: 'bell', tone: { url: 'hunter2' } }],
    ]) {
      expect(JSON.stringify(refused(fileWith(notify)))).not.toContain('hunter2');
    }
    expect(refused(fileWith([{ type: 'bell', min_interval: 'soon' }]))[0]?.value).toBe('"soon"');
  });
});
