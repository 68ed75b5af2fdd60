import { describe, expect, it } from 'vitest';
import { Sameness, selects } from '../../../core/notify/selection.ts';
import { anEvent, aRule } from './support.ts';

describe('a rule', () => {
  it.each([
    ['its codes', {}, {}, true],
    ['no other codes', {}, { code: 'EXITED' }, false],
    ['all services where it names none', {}, { service: 'mail' }, true],
    ['what is about no service where it names none', {}, { service: null }, true],
    ['the services that it names', { services: ['shop'] }, {}, true],
    ['no others', { services: ['shop'] }, { service: 'mail' }, false],
    ['nor what is about none', { services: ['shop'] }, { service: null }, false],
    ['nothing where it names none at all', { services: [] }, {}, false],
    [
      'never that somebody could not be told',
      { events: ['NOTIFY_DEGRADED'] },
      { code: 'NOTIFY_DEGRADED' },
      false,
    ],
  ] as const)('selects %s', (_, rule, event, expected) => {
    expect(selects(aRule(rule), anEvent(1, event))).toBe(expected);
  });
});

describe('what is the same', () => {
  it('is told again only after the interval', () => {
    const sameness = new Sameness();
    const at = (time: number, changes = {}) => sameness.isNews(anEvent(1, { time, ...changes }), 1000);
    expect(at(0)).toBe(true);
    expect(at(999)).toBe(false);
    expect(at(999, { code: 'EXITED' })).toBe(true);
    expect(at(999, { action: 'other' })).toBe(true);
    expect(at(999, { service: null, action: null })).toBe(true);
    expect(at(1000)).toBe(true);
    expect(at(1999)).toBe(false);
  });

  it('is told where the clock was set back', () => {
    const sameness = new Sameness();
    expect(sameness.isNews(anEvent(1, { time: 5000 }), 1000)).toBe(true);
    expect(sameness.isNews(anEvent(2, { time: 10 }), 1000)).toBe(true);
  });

  it('is told every time where there is no interval', () => {
    const sameness = new Sameness();
    for (let i = 0; i < 3; i++) expect(sameness.isNews(anEvent(1), 0)).toBe(true);
  });
});
