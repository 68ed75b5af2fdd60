import { describe, expect, it } from 'vitest';
import { REDACTED } from '../../../core/access/redactor.ts';
import { diffSpecs } from '../../../core/spec/diff.ts';
import type { ServiceFile } from '../../../core/spec/spec.ts';
import { accepted } from './support.ts';

const fileOf = (data: object): ServiceFile => accepted(JSON.stringify(data));

function diff(before: object, after: object) {
  const shop = (action: object) => ({ services: { shop: { actions: { web: { run: 'x', ...action } } } } });
  return diffSpecs(fileOf(shop(before)), fileOf(shop(after)));
}

function fields(before: object, after: object) {
  const { changed } = diff(before, after);
  return changed.flatMap((change) => change.fields);
}

describe('diffSpecs', () => {
  it('sorts services into added, removed, changed and unchanged', () => {
    const one = (run: string) => ({ actions: { main: { run } } });
    const before = fileOf({ services: { same: one('a'), gone: one('a'), other: one('a') } });
    const after = fileOf({ services: { same: one('a'), new: one('a'), other: one('b') } });
    expect(diffSpecs(before, after)).toEqual({
      added: ['new'],
      removed: ['gone'],
      unchanged: ['same'],
      changed: [
        {
          service: 'other',
          action: 'main',
          change: 'changed',
          fields: [{ path: 'run', before: 'a', after: 'b' }],
          restarts: true,
        },
      ],
    });
  });

  it('says which changes restart what runs', () => {
    expect(diff({ process: true }, { process: true, stop: { timeout: '20s' } }).changed).toEqual([
      {
        service: 'shop',
        action: 'web',
        change: 'changed',
        fields: [{ path: 'stop.timeout', before: 10_000, after: 20_000 }],
        restarts: false,
      },
    ]);
    expect(diff({ process: true }, { process: true, cwd: '/' }).changed[0]?.restarts).toBe(true);
  });

  it('tells of actions that come and go', () => {
    const file = (...names: string[]) =>
      fileOf({
        services: { shop: { actions: Object.fromEntries(names.map((name) => [name, { run: 'x' }])) } },
      });
    expect(diffSpecs(file('a', 'b'), file('b', 'c')).changed).toEqual([
      { service: 'shop', action: 'a', change: 'removed', fields: [], restarts: false },
      { service: 'shop', action: 'c', change: 'added', fields: [], restarts: false },
    ]);
  });

  it('shows ports as they are written', () => {
    const ports = (...tcp_ports: unknown[]) => ({ process: true, tcp_ports });
    expect(fields(ports(80), ports('127.0.0.1:81'))).toEqual([
      { path: 'tcp_ports[0]', before: 80, after: '127.0.0.1:81' },
    ]);
    expect(fields(ports(80), ports(80, '[::1]:81'))).toEqual([
      { path: 'tcp_ports', before: [80], after: [80, '[::1]:81'] },
    ]);
  });

  it('gives no variable away, whether it changes, comes or goes', () => {
    const found = fields(
      { env: { KEY: 'hunter2', GONE: 'hunter2', SAME: 'x' } },
      { env: { KEY: 'hunter3', NEW: 'hunter4', SAME: 'x' } },
    );
    expect(found).toEqual([
      { path: 'env.KEY', before: REDACTED, after: REDACTED },
      { path: 'env.GONE', before: REDACTED, after: null },
      { path: 'env.NEW', before: null, after: REDACTED },
    ]);
  });

  it('gives nothing away of what a notifier takes, and names options as the file does', () => {
    const file = (tone: string, ...more: object[]) =>
      fileOf({ services: {}, notify: [{ type: 'bell', tone }, ...more] });
    expect(diffSpecs(file('high'), file('hunter2')).changed).toEqual([
      {
        service: null,
        action: null,
        change: 'changed',
        fields: [{ path: 'notify[0].tone', before: REDACTED, after: REDACTED }],
        restarts: false,
      },
    ]);
    const added = JSON.stringify(diffSpecs(file('high'), file('high', { type: 'bell', tone: 'hunter2' })));
    expect(added).toContain('"tone":"[redacted]"');
    expect(added).not.toContain('hunter2');
  });

  it('names the options of a check as the file does', () => {
    const health = (rate: number) => ({ process: true, health: [{ type: 'pulse', rate }] });
    expect(fields(health(60), health(70))).toEqual([{ path: 'health[0].rate', before: 60, after: 70 }]);
  });
});
