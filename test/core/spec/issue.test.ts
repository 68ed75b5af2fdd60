import { describe, expect, it } from 'vitest';
import { formatIssues, pathText, type SpecIssue, shown } from '../../../core/spec/issue.ts';
import { fileWith, refused } from './support.ts';

describe('pathText', () => {
  it.each([
    [[], ''],
    [['services', 'shop', 'actions', 'web-1', 'tcp_ports', 1], 'services.shop.actions.web-1.tcp_ports[1]'],
    [['services', 'a b', 'x.y', '', 'z'], 'services["a b"]["x.y"][""].z'],
    [['$schema'], '$schema'],
  ])('%j: %s', (path, text) => {
    expect(pathText(path)).toBe(text);
  });
});

describe('shown', () => {
  it.each([
    [['a'], 'x', '"x"'],
    [['a'], '', '""'],
    [['a'], 'line\nend', '"line\\nend"'],
    [['a'], 'x'.repeat(60), JSON.stringify('x'.repeat(60))],
    [['a'], 'x'.repeat(61), 'text of 61 characters'],
    [['a'], 5, '5'],
    [['a'], true, 'true'],
    [['a'], null, 'nothing'],
    [['a'], undefined, 'nothing'],
    [['a'], [1, 2], 'a list of 2'],
    [['a'], { x: 1 }, 'a map'],
    [['env', 'A'], 'hunter2', 'text of 7 characters'],
    [['env', 'PIN'], 1234, 'a number'],
    [['env'], 'A=hunter2', 'text of 9 characters'],
    [['rotate', 0, 'password'], 'hunter2', 'text of 7 characters'],
    [['rotate', 0, 'api_key'], 'hunter2', 'text of 7 characters'],
    [['secret-service', 'cwd'], '/x', '"/x"'],
  ])('%j %j: %s', (path, value, text) => {
    expect(shown(path, value)).toBe(text);
  });
});

describe('formatIssues', () => {
  const issue: SpecIssue = {
    path: 'services.shop.actions.web.tcp_ports[0]',
    rule: 'port',
    value: '70000',
    line: 12,
    column: 7,
    message: 'must be a port from 1 to 65535',
  };

  it('writes a line for each', () => {
    const whole: SpecIssue = {
      path: '',
      rule: 'yaml',
      value: '',
      line: null,
      column: null,
      message: 'must be valid YAML: no',
    };
    expect(formatIssues([issue, whole], 'upkeep.yaml')).toBe(
      'upkeep.yaml:12:7 services.shop.actions.web.tcp_ports[0]: must be a port from 1 to 65535: current value is 70000\n' +
        'upkeep.yaml (file): must be valid YAML: no',
    );
  });

  it('has nothing to say of nothing', () => {
    expect(formatIssues([], 'upkeep.yaml')).toBe('');
  });
});

describe('what is told', () => {
  it.each([
    [{ tcp_port: [80] }, "is not known here (did you mean 'tcp_ports'?)"],
    [{ colour: 1 }, 'is not known here'],
    [{ process: true, health: [{ type: 'puls' }] }, "must be one of pulse (did you mean 'pulse'?)"],
    [{ restart: { policy: 'allways' } }, "must be one of always, on_failure, never (did you mean 'always'?)"],
    [
      { stop: { signal: 'sigterm' } },
      "must be the name of a signal such as SIGTERM or INT (did you mean 'SIGTERM'?)",
    ],
    [{ stop: { signal: 'STOP' } }, 'must be a signal that ends a process: SIGSTOP does not'],
    [
      { logs: { rotate: [{ type: 'wieght' }] } },
      "must be one of noon, weight, moon (did you mean 'weight'?)",
    ],
    [
      { restart: { delay: 30 } },
      'must be a duration with its unit such as 100ms, 30s, 5m or 1m30s; only 0 needs none',
    ],
    [
      { process: true, ready: { timeout: 0 } },
      'must be a duration with its unit such as 100ms, 30s, 5m or 1m30s, and longer than 0',
    ],
    [{ env: { UPKEEP_X: '' } }, 'must not begin with UPKEEP_: such variables are set by upkeep'],
    [
      { after: ['A'] },
      'must be a name: lower-case letters, digits, _ and -, the first a letter or a digit, 63 at most',
    ],
    [{ tcp_ports: [80] }, 'is for a process only: say process: true, or leave it out'],
  ])('%j', (fields, message) => {
    expect(refused(fileWith(fields)).map((issue) => issue.message)).toEqual([message]);
  });

  it('suggests an action of the same service', () => {
    const text =
      '{"services": {"s": {"actions": {"migrate": {"run": "x"}, "a": {"run": "x", "after": ["migrat"]}}}}}';
    expect(refused(text)).toMatchObject([
      { message: "must be an action of this service (did you mean 'migrate'?)" },
    ]);
  });

  it('never holds what a variable holds, nor what stands around an error', () => {
    const texts = [
      fileWith({ env: { A: 'hunter2\0' } }),
      fileWith({ env: 'A=hunter2' }),
      fileWith({ env: ['A=hunter2'] }),
      fileWith({ env: { A: { B: 'hunter2' } } }),
      fileWith({ envv: { A: 'hunter2' } }),
      fileWith({ password: 'hunter2' }),
      'services: { s: { actions: { a: { run: x, env: { PASSWORD: "hunter2" } } } }',
      'services: { s: { actions: { a: { run: x, env: { PASSWORD: "hunter2 \\q" } } } } }',
      'services: { s: { actions: { a: { run: x, env: { PASSWORD: !x hunter2 } } } } }',
    ];
    for (const text of texts) expect(JSON.stringify(refused(text))).not.toContain('hunter2');
  });
});
