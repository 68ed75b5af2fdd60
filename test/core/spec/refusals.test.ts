/** Every rule, refused with its path, its name and the value; the message names what must be. */
import { describe, expect, it } from 'vitest';
import { fileOf, fileWith, refused, verdicts } from './support.ts';

const NUL = 'a\0b';
const LONG = 'x'.repeat(108);

describe('one field', () => {
  it.each([
    // What is missing, unknown, or of another kind.
    [{ run: undefined }, 'a.run required nothing'],
    [{ proces: true }, 'a.proces unknown_key "proces"'],
    [{ health: {} }, 'a.health type a map'],
    [{ health: [{ type: 'pulse' }] }, 'a.health process_only a list of 1'],
    [{ process: 'yes' }, 'a.process type "yes"'],
    [{ process: 1 }, 'a.process type 1'],
    [{ process: null }, 'a.process type nothing'],
    [{ singleton: 'no' }, 'a.singleton type "no"'],
    [{ run: 5 }, 'a.run type 5'],
    [{ run: null }, 'a.run type nothing'],
    [{ run: {} }, 'a.run type a map'],
    [{ cwd: 5 }, 'a.cwd type 5'],
    [{ env: ['A=b'] }, 'a.env type a list of 1'],
    [{ env: 'A=b' }, 'a.env type text of 3 characters'],
    [{ env_file: true }, 'a.env_file type true'],
    [{ env_file: [5] }, 'a.env_file[0] type 5'],
    [{ after: 'b' }, 'a.after type "b"'],
    [{ after: {} }, 'a.after type a map'],
    [{ after: [5] }, 'a.after[0] type 5'],
    [{ sockets: '/x' }, 'a.sockets type "/x"'],
    [{ tcp_ports: 80 }, 'a.tcp_ports type 80'],
    [{ udp_ports: '80' }, 'a.udp_ports type "80"'],
    [{ tcp_ports: [null] }, 'a.tcp_ports[0] type nothing'],
    [{ kill_other: 'yes' }, 'a.kill_other type "yes"'],
    [{ kill_other: null }, 'a.kill_other type nothing'],
    [{ kill_other: [] }, 'a.kill_other type a list of 0'],
    [{ ready: [] }, 'a.ready type a list of 0'],
    [{ ready: true }, 'a.ready type true'],
    [{ restart: 'always' }, 'a.restart type "always"'],
    [{ stop: 'SIGTERM' }, 'a.stop type "SIGTERM"'],
    [{ logs: [] }, 'a.logs type a list of 0'],
    [{ logs: { rotate: {} } }, 'a.logs.rotate type a map'],
    [{ logs: { rotate: ['noon'] } }, 'a.logs.rotate[0] type "noon"'],
    [{ logs: { rotate: [[]] } }, 'a.logs.rotate[0] type a list of 0'],
    // The command.
    [{ run: '' }, 'a.run command ""'],
    [{ run: ' \n\t' }, 'a.run command " \\n\\t"'],
    [{ run: NUL }, 'a.run command "a\\u0000b"'],
    [{ run: [] }, 'a.run program a list of 0'],
    [{ run: [''] }, 'a.run program a list of 1'],
    [{ run: [' ', 'x'] }, 'a.run program a list of 2'],
    [{ run: ['x', NUL] }, 'a.run[1] word "a\\u0000b"'],
    [{ run: ['x', null] }, 'a.run[1] type nothing'],
    [{ run: ['x', ['y']] }, 'a.run[1] type a list of 1'],
    // Paths.
    [{ cwd: '' }, 'a.cwd path ""'],
    [{ cwd: NUL }, 'a.cwd path "a\\u0000b"'],
    [{ cwd: '~/x' }, 'a.cwd path "~/x"'],
    [{ env_file: '' }, 'a.env_file path ""'],
    [{ env_file: ['x', NUL] }, 'a.env_file[1] path "a\\u0000b"'],
    [{ pid_file: '' }, 'a.pid_file path ""'],
    [{ pid_file: '~x' }, 'a.pid_file path "~x"'],
    [{ process: true, sockets: ['@'] }, 'a.sockets[0] socket "@"'],
    [{ process: true, sockets: [''] }, 'a.sockets[0] socket ""'],
    [{ process: true, sockets: [NUL] }, 'a.sockets[0] socket "a\\u0000b"'],
    [{ process: true, sockets: ['~/s'] }, 'a.sockets[0] socket "~/s"'],
    [{ process: true, sockets: [`/${LONG}`] }, 'a.sockets[0] socket_length text of 109 characters'],
    [{ process: true, sockets: ['x'.repeat(99)] }, 'a.sockets[0] socket_length text of 108 characters'],
    [{ process: true, sockets: [`@${LONG}`] }, 'a.sockets[0] socket_length text of 109 characters'],
    [{ process: true, sockets: [`/${'ä'.repeat(54)}`] }, `a.sockets[0] socket_length "/${'ä'.repeat(54)}"`],
    // The environment. What a variable holds is told to nobody.
    [{ env: { '1A': 'x' } }, 'a.env.1A env_name "1A"'],
    [{ env: { 'A-B': 'x' } }, 'a.env.A-B env_name "A-B"'],
    [{ env: { '': 'x' } }, 'a.env[""] env_name ""'],
    [{ env: { 'A B': 'x' } }, 'a.env["A B"] env_name "A B"'],
    [{ env: { UPKEEP_JOB: 'x' } }, 'a.env.UPKEEP_JOB env_name "UPKEEP_JOB"'],
    [{ env: { A: null } }, 'a.env.A type nothing'],
    [{ env: { A: ['hunter2'] } }, 'a.env.A type a list of 1'],
    [{ env: { A: 'hunter2\0' } }, 'a.env.A word text of 8 characters'],
    // Ports.
    [{ process: true, tcp_ports: [0] }, 'a.tcp_ports[0] port 0'],
    [{ process: true, tcp_ports: [80, 70_000] }, 'a.tcp_ports[1] port 70000'],
    [{ process: true, tcp_ports: [-1] }, 'a.tcp_ports[0] port -1'],
    [{ process: true, tcp_ports: [80.5] }, 'a.tcp_ports[0] port 80.5'],
    [{ process: true, tcp_ports: ['localhost:80'] }, 'a.tcp_ports[0] port "localhost:80"'],
    [{ process: true, udp_ports: ['::1:80'] }, 'a.udp_ports[0] port "::1:80"'],
    [{ process: true, tcp_ports: ['udp:80'] }, 'a.tcp_ports[0] port "udp:80"'],
    [{ process: true, tcp_ports: [''] }, 'a.tcp_ports[0] port ""'],
    // Permission to stop others.
    [{ kill_other: { port: [80] } }, 'a.kill_other.port unknown_key "port"'],
    [{ kill_others: { socket: [] } }, 'a.kill_others.socket unknown_key "socket"'],
    [{ kill_other: { ports: [0] } }, 'a.kill_other.ports[0] port 0'],
    [{ kill_other: { ports: ['sctp:80'] } }, 'a.kill_other.ports[0] port "sctp:80"'],
    [{ kill_other: { ports: ['tcp:udp:80'] } }, 'a.kill_other.ports[0] port "tcp:udp:80"'],
    [{ kill_other: { sockets: ['@'] } }, 'a.kill_other.sockets[0] socket "@"'],
    [{ kill_other: { process_filters: [''] } }, 'a.kill_other.process_filters[0] process_filter ""'],
    [{ kill_other: { process_filters: ['*'] } }, 'a.kill_other.process_filters[0] process_filter "*"'],
    [
      { kill_other: { process_filters: ['x', '? *?'] } },
      'a.kill_other.process_filters[1] process_filter "? *?"',
    ],
    [
      { kill_other: { process_filters: [NUL] } },
      'a.kill_other.process_filters[0] process_filter "a\\u0000b"',
    ],
    [{ kill_other: { process_filters: 'x' } }, 'a.kill_other.process_filters type "x"'],
    // Times.
    [{ process: true, ready: { timeout: 30 } }, 'a.ready.timeout type 30'],
    [{ process: true, ready: { timeout: 0 } }, 'a.ready.timeout type 0'],
    [{ process: true, ready: { timeout: '0s' } }, 'a.ready.timeout duration "0s"'],
    [{ process: true, ready: { timeout: '366d' } }, 'a.ready.timeout duration "366d"'],
    [{ restart: { delay: 10 } }, 'a.restart.delay duration 10'],
    [{ restart: { delay: '10' } }, 'a.restart.delay duration "10"'],
    [{ restart: { delay: '-1s' } }, 'a.restart.delay duration "-1s"'],
    [{ restart: { max_delay: '10 s' } }, 'a.restart.max_delay duration "10 s"'],
    [{ restart: { stable_after: true } }, 'a.restart.stable_after type true'],
    [{ stop: { timeout: '1w' } }, 'a.stop.timeout duration "1w"'],
    // Numbers.
    [{ restart: { factor: 0.9 } }, 'a.restart.factor range 0.9'],
    [{ restart: { factor: '2' } }, 'a.restart.factor type "2"'],
    [{ restart: { factor: 1e9 } }, 'a.restart.factor range 1000000000'],
    [{ restart: { jitter: -0.1 } }, 'a.restart.jitter range -0.1'],
    [{ restart: { jitter: 1.1 } }, 'a.restart.jitter range 1.1'],
    [{ restart: { max_attempts: -1 } }, 'a.restart.max_attempts range -1'],
    [{ restart: { max_attempts: 1.5 } }, 'a.restart.max_attempts range 1.5'],
    [{ logs: { keep: -1 } }, 'a.logs.keep range -1'],
    [{ logs: { keep: '10' } }, 'a.logs.keep type "10"'],
    // Sizes.
    [{ logs: { max_total: '10M' } }, 'a.logs.max_total size "10M"'],
    [{ logs: { max_total: 0 } }, 'a.logs.max_total size 0'],
    [{ logs: { max_total: 1.5 } }, 'a.logs.max_total size 1.5'],
    [{ logs: { max_total: [] } }, 'a.logs.max_total type a list of 0'],
    // Words.
    [{ process: true, ready: { claims: 'mine' } }, 'a.ready.claims choice "mine"'],
    [{ restart: { policy: 'allways' } }, 'a.restart.policy choice "allways"'],
    [{ recovery: 'adop' }, 'a.recovery choice "adop"'],
    [{ recovery: true }, 'a.recovery choice true'],
    [{ logs: { compress: 'zip' } }, 'a.logs.compress choice "zip"'],
    [{ stop: { signal: 'SIGSTOP' } }, 'a.stop.signal signal "SIGSTOP"'],
    [{ stop: { signal: 'CONT' } }, 'a.stop.signal signal "CONT"'],
    [{ stop: { signal: 'SIGTREM' } }, 'a.stop.signal signal "SIGTREM"'],
    [{ stop: { signal: 'sigterm' } }, 'a.stop.signal signal "sigterm"'],
    [{ stop: { signal: 'SIG' } }, 'a.stop.signal signal "SIG"'],
    [{ stop: { signal: 15 } }, 'a.stop.signal type 15'],
    // Plugins.
    [{ logs: { rotate: [{}] } }, 'a.logs.rotate[0].type required nothing'],
    [{ logs: { rotate: [{ type: 'sun' }] } }, 'a.logs.rotate[0].type choice "sun"'],
    [{ logs: { rotate: [{ type: 5 }] } }, 'a.logs.rotate[0].type choice 5'],
    [{ logs: { rotate: [{ type: 'noon', max: 5 }] } }, 'a.logs.rotate[0].max unknown_key "max"'],
    [
      {
        logs: {
          rotate: [
            { type: 'weight', max: '5' },
            { type: 'weight', max: '5kg' },
          ],
        },
      },
      'a.logs.rotate[1].max size "5kg"',
    ],
    // Unknown keys further down.
    [{ process: true, ready: { time: '1s' } }, 'a.ready.time unknown_key "time"'],
    [{ restart: { retries: 5 } }, 'a.restart.retries unknown_key "retries"'],
    [{ stop: { sig: 'INT' } }, 'a.stop.sig unknown_key "sig"'],
    [{ logs: { max: '1MiB' } }, 'a.logs.max unknown_key "max"'],
  ])('%j', (fields, verdict) => {
    expect(verdicts(fileWith(fields))).toEqual([verdict]);
  });
});

describe('several fields', () => {
  it.each([
    [{ kill_other: true, kill_others: true }, 'a.kill_others one_spelling "kill_others"'],
    [{ restart: { delay: '2s', max_delay: '1s' } }, 'a.restart.max_delay max_delay 1s'],
    [{ sockets: ['x'] }, 'a.sockets process_only a list of 1'],
    [{ tcp_ports: [80, 81] }, 'a.tcp_ports process_only a list of 2'],
    [{ udp_ports: [80] }, 'a.udp_ports process_only a list of 1'],
    [{ ready: {} }, 'a.ready process_only a map'],
    [{ restart: { policy: 'always' } }, 'a.restart.policy process_only "always"'],
    [{ process: true, tcp_ports: [80, '0.0.0.0:80'] }, 'a.tcp_ports[1] claimed_once tcp:80'],
    [{ process: true, sockets: ['x', './x'] }, 'a.sockets[1] claimed_once "/srv/app/x"'],
    [{ process: true, sockets: ['x'], pid_file: 'x' }, 'a.pid_file claimed_once "/srv/app/x"'],
    [{ after: ['a'] }, 'a.after[0] cycle "a"'],
    [{ after: ['b'] }, 'a.after[0] known_action "b"'],
  ])('%j', (fields, verdict) => {
    expect(verdicts(fileWith(fields))).toEqual([verdict]);
  });

  it('a oneshot may have empty lists of what is for processes', () => {
    expect(() => refused(fileWith({ sockets: [], tcp_ports: [], udp_ports: [] }))).toThrow('accepted');
  });
});

describe('numbers where YAML would spell them differently', () => {
  const file = (fields: string): string => `services: { s: { actions: { a: { run: x, ${fields} } } } }`;

  it.each([
    ['env: { A: 1.10 }', 'a.env.A quotes text of 3 characters'],
    ['env: { A: True }', 'a.env.A quotes text of 4 characters'],
    ['env: { A: 1234567890123456789012 }', 'a.env.A quotes text of 22 characters'],
  ])('%s', (fields, verdict) => {
    expect(verdicts(file(fields))).toEqual([verdict]);
  });

  it('in a command', () => {
    expect(verdicts('services: { s: { actions: { a: { run: [chmod, 0x1F, 0o17] } } } }')).toEqual([
      'a.run[1] quotes "31"',
      'a.run[2] quotes "15"',
    ]);
  });

  it('through a merge', () => {
    const text =
      'services: { s: { actions: { a: { run: x, env: &e { A: 1e3 } }, b: { run: x, env: { <<: *e } } } } }';
    expect(verdicts(text)).toEqual([
      expect.stringContaining('a.env.A quotes'),
      expect.stringContaining('b.env.A quotes'),
    ]);
  });
});

describe('several actions', () => {
  const process = { run: 'x', process: true };

  it.each([
    [{ tcp_ports: [80] }, { tcp_ports: [80] }, 'b.tcp_ports[0] claimed_once tcp:80'],
    [{ tcp_ports: [80] }, { tcp_ports: ['127.0.0.1:80'] }, 'b.tcp_ports[0] claimed_once tcp:127.0.0.1:80'],
    [{ tcp_ports: ['[::1]:80'] }, { tcp_ports: [81, '[::]:80'] }, 'b.tcp_ports[1] claimed_once tcp:80'],
    [{ tcp_ports: ['[::1]:80'] }, { tcp_ports: ['[0:0::1]:80'] }, 'b.tcp_ports[0] claimed_once tcp:[::1]:80'],
    [{ udp_ports: [53] }, { udp_ports: ['0.0.0.0:53'] }, 'b.udp_ports[0] claimed_once udp:53'],
    [{ sockets: ['/srv/app/x'] }, { sockets: ['x'] }, 'b.sockets[0] claimed_once "/srv/app/x"'],
    [{ sockets: ['@x'] }, { sockets: ['@x'] }, 'b.sockets[0] claimed_once "@x"'],
    [{ pid_file: 'x.pid' }, { cwd: 'c', pid_file: '../x.pid' }, 'b.pid_file claimed_once "/srv/app/x.pid"'],
    [{ pid_file: 'x' }, { sockets: ['x'] }, 'b.sockets[0] claimed_once "/srv/app/x"'],
    [{ after: ['b'] }, { after: ['a'] }, 'b.after[0] cycle "a"'],
  ])('%j and %j', (a, b, verdict) => {
    expect(verdicts(fileOf({ a: { ...process, ...a }, b: { ...process, ...b } }))).toEqual([verdict]);
  });

  it('of different services claim the same, and the other one is named', () => {
    const text = `services:
  one: { actions: { web: { run: x, process: true, tcp_ports: [1, 80], pid_file: /p } } }
  two: { actions: { web: { run: x, process: true, tcp_ports: ["127.0.0.1:80"], pid_file: /p } } }
`;
    expect(refused(text)).toMatchObject([
      {
        path: 'services.two.actions.web.tcp_ports[0]',
        message: 'must be claimed only once: services.one.actions.web.tcp_ports[1] claims tcp:80 too',
      },
      {
        path: 'services.two.actions.web.pid_file',
        message: expect.stringContaining('services.one.actions.web.pid_file'),
      },
    ]);
  });

  it('go in a circle, which is named', () => {
    const action = (after: string[]) => ({ run: 'x', after });
    const issues = refused(
      fileOf({ x: action(['a']), a: action(['b']), b: action(['c']), c: action(['a']) }),
    );
    expect(issues).toMatchObject([
      {
        path: 'services.s.actions.c.after[0]',
        rule: 'cycle',
        message: 'must not lead in a circle: a after b after c after a',
      },
    ]);
  });

  it('of different services do not know each other', () => {
    const text =
      'services: { one: { actions: { a: {run: x} } }, two: { actions: { b: {run: x, after: [a]} } } }';
    expect(refused(text)).toMatchObject([{ path: 'services.two.actions.b.after[0]', rule: 'known_action' }]);
  });

  it('are each named once', () => {
    expect(verdicts(fileOf({ a: { run: 'x' }, b: { run: 'x', after: ['a', 'a'] } }))).toEqual([
      'b.after[1] unique "a"',
    ]);
  });
});

describe('names', () => {
  it.each(['A', '-a', '_a', 'a.b', 'a b', 'ä', '', 'x'.repeat(64), '../a', 'a/b'])('%j', (name) => {
    const issues = refused(JSON.stringify({ services: { [name]: { actions: { [name]: { run: 'x' } } } } }));
    expect(issues.map(({ rule, value }) => [rule, value])).toEqual([
      ['name', JSON.stringify(name)],
      ['name', JSON.stringify(name)],
    ]);
  });

  it.each(['constructor', '__proto__', 'prototype', 'toString'])('%s, as every object has it', (name) => {
    const issues = refused(`{"services": {"${name}": {"actions": {"a": {"run": "x"}}}}}`);
    expect(issues).toContainEqual(
      expect.objectContaining({ path: `services.${name}`, rule: 'reserved_key' }),
    );
  });

  it.each(['a', '0', 'a-b_c', 'x'.repeat(63)])('%s is one', (name) => {
    expect(() =>
      refused(JSON.stringify({ services: { [name]: { actions: { [name]: { run: 'x' } } } } })),
    ).toThrow('accepted');
  });
});

describe('the file as a whole', () => {
  it.each([
    ['', '(file) type nothing'],
    ['# nothing\n', '(file) type nothing'],
    ['5', '(file) type 5'],
    ['[]', '(file) type a list of 0'],
    ['{}', 'services required nothing'],
    ['services:', 'services type nothing'],
    ['services: []', 'services type a list of 0'],
    ['services: { s: }', 'services.s type nothing'],
    ['services: { s: {} }', 'services.s.actions required nothing'],
    ['services: { s: { actions: {} } }', 'services.s.actions min_entries a map'],
    ['services: { s: { actions: [] } }', 'services.s.actions type a list of 0'],
    ['services: { s: { actions: { a: } } }', 'a type nothing'],
    ['services: { s: { actions: { a: [x] } } }', 'a type a list of 1'],
    ['services: {}\nservice: {}', 'service unknown_key "service"'],
    ['services: {}\nplugins: {}', 'plugins type a map'],
    ['services: {}\nplugins: [{}]', 'plugins[0].path required nothing'],
    ['services: {}\nplugins: [{path: ~/a.ts}]', 'plugins[0].path path "~/a.ts"'],
    ['services: { s: { actions: { a: {run: x} }, action: {} } }', 'services.s.action unknown_key "action"'],
    ['services: {}\nservices: {}', 'services unique_key "services"'],
    ['services: [', '(file) yaml '],
  ])('%j', (text, verdict) => {
    const told = verdicts(text).map((line) => (/^ /.test(line) ? `(file)${line}` : line));
    expect(told[0]).toBe(verdict);
  });
});
