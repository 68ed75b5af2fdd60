import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import { HAS_ZSTD } from '../../../core/log/codec.ts';
import { parseServiceFile } from '../../../core/spec/parse.ts';
import { accepted, actionWith, fileOf, fileWith, PATH, REGISTRY, refused } from './support.ts';

const DEFAULTS = {
  name: 'a',
  process: false,
  run: 'x',
  cwd: '/srv/app',
  env: {},
  env_file: [],
  after: [],
  singleton: false,
  pid_file: null,
  sockets: [],
  tcp_ports: [],
  udp_ports: [],
  kill_other: null,
  ready: { timeout: 30_000, claims: 'own' },
  health: [],
  restart: {
    policy: 'on_failure',
    delay: 100,
    factor: 2,
    max_delay: 30_000,
    jitter: 0.1,
    stable_after: 10_000,
    max_attempts: 10,
  },
  stop: { signal: 'SIGTERM', timeout: 10_000 },
  recovery: 'adopt',
  logs: {
    rotate: [{ type: 'noon' }, { type: 'weight', max: 10_485_760 }],
    keep: 10,
    max_total: 104_857_600,
    max_age: null,
    compress: 'gzip',
  },
};

describe('defaults', () => {
  it('of a oneshot', () => {
    // Strictly: a key that is there with undefined would differ from what the store gives back.
    expect(actionWith({})).toStrictEqual(DEFAULTS);
  });

  it('of a process', () => {
    const restart = { ...DEFAULTS.restart, policy: 'always', max_attempts: 0 };
    expect(actionWith({ process: true })).toStrictEqual({ ...DEFAULTS, process: true, restart });
  });

  it('of a singleton: restart, unless it says otherwise', () => {
    expect(actionWith({ singleton: true }).recovery).toBe('restart');
    expect(actionWith({ singleton: true, recovery: 'adopt' }).recovery).toBe('adopt');
    expect(actionWith({ recovery: 'restart' }).recovery).toBe('restart');
  });

  it.each([
    ['ready', { process: true, ready: {} }],
    ['restart', { process: true, restart: {} }],
    ['stop', { process: true, stop: {} }],
    ['logs', { process: true, logs: {} }],
  ] as const)('an empty map says nothing: %s', (field, fields) => {
    expect(actionWith(fields)[field]).toEqual(actionWith({ process: true })[field]);
  });

  it('the longest pause is no shorter than the first', () => {
    expect(actionWith({ restart: { delay: '1m' } }).restart).toMatchObject({
      delay: 60_000,
      max_delay: 60_000,
    });
    expect(actionWith({ restart: { delay: '1m', max_delay: '1m' } }).restart.max_delay).toBe(60_000);
  });
});

describe('compression by zstd', () => {
  it.skipIf(HAS_ZSTD)('is refused by a Node that does not have it', () => {
    const [issue] = refused(fileWith({ logs: { compress: 'zstd' } }));
    expect(issue).toMatchObject({
      path: 'services.s.actions.a.logs.compress',
      rule: 'zstd',
      value: '"zstd"',
    });
    expect(issue?.message).toMatch(/^must be gzip or none here: this Node \(v.*\) has no zstd/);
  });

  it.skipIf(!HAS_ZSTD)('is taken by a Node that has it (needs Node 22.15 or newer)', () => {
    expect(actionWith({ logs: { compress: 'zstd' } }).logs.compress).toBe('zstd');
  });
});

describe('a service file', () => {
  it('is the example of the documentation', () => {
    const file = accepted(`
services:
  shop:
    actions:
      migrate: { run: [npm, run, migrate] }
      web:
        process: true
        run: node server.js
        cwd: ./shop
        env: { PORT: "8080" }
        env_file: .env
        after: [migrate]
        singleton: true
        pid_file: /run/shop/web.pid
        sockets: [/run/shop/web.sock]
        tcp_ports: [8080, "127.0.0.1:9090"]
        udp_ports: []
        kill_other: true
        ready: { timeout: 30s, claims: own }
        restart: { policy: always, delay: 100ms, factor: 2, max_delay: 30s, jitter: 0.1, stable_after: 10s, max_attempts: 0 }
        stop: { signal: SIGTERM, timeout: 10s }
        recovery: adopt
        logs: { rotate: [{type: noon}, {type: weight, max: 1MiB}], keep: 10, max_total: 100MiB, compress: gzip }
`);
    const ports = [
      { kind: 'tcp', address: null, port: 8080 },
      { kind: 'tcp', address: '127.0.0.1', port: 9090 },
    ];
    expect(file.path).toBe(PATH);
    expect(Object.keys(file.services)).toEqual(['shop']);
    expect(file.services['shop']?.name).toBe('shop');
    expect(file.services['shop']?.actions['migrate']).toStrictEqual({
      ...DEFAULTS,
      name: 'migrate',
      run: ['npm', 'run', 'migrate'],
    });
    expect(file.services['shop']?.actions['web']).toStrictEqual({
      ...DEFAULTS,
      name: 'web',
      process: true,
      run: 'node server.js',
      cwd: '/srv/app/shop',
      env: { PORT: '8080' },
      env_file: ['/srv/app/shop/.env'],
      after: ['migrate'],
      singleton: true,
      pid_file: '/run/shop/web.pid',
      sockets: ['/run/shop/web.sock'],
      tcp_ports: ports,
      kill_other: { ports, sockets: ['/run/shop/web.sock'], process_filters: [] },
      restart: { ...DEFAULTS.restart, policy: 'always', max_attempts: 0 },
      logs: { ...DEFAULTS.logs, rotate: [{ type: 'noon' }, { type: 'weight', max: 1_048_576 }] },
    });
  });

  it('says the same in JSON, in YAML, and read back from what it came to', () => {
    const json = fileOf({ a: { run: ['x', 1, true], process: true, tcp_ports: [80], kill_other: {} } });
    const yaml =
      'services: { s: { actions: { a: { run: [x, 1, true], process: true, tcp_ports: [80], kill_other: {} } } } }';
    expect(accepted(yaml)).toStrictEqual(accepted(json));
    expect(isDeepStrictEqual(JSON.parse(JSON.stringify(accepted(json))), accepted(json))).toBe(true);
  });

  it('may have no service at all', () => {
    expect(accepted('services: {}').services).toEqual({});
  });

  it('may name its schema, for editors', () => {
    expect(
      accepted('{"$schema": "https://example.org/upkeep.schema.json", "services": {}}').services,
    ).toEqual({});
  });

  it('takes aliases and merge keys', () => {
    const file = accepted(`
services:
  s:
    actions:
      a: &a { run: x, process: true, env: &env { A: "1" } }
      b: { <<: *a, run: "y" }
      c: { run: z, env: { <<: *env, B: "2" } }
`);
    expect(file.services['s']?.actions['b']).toMatchObject({ run: 'y', process: true, env: { A: '1' } });
    expect(file.services['s']?.actions['c']).toMatchObject({
      run: 'z',
      process: false,
      env: { A: '1', B: '2' },
    });
  });

  it('keeps the order of services and actions', () => {
    const file = accepted(
      'services: { z: { actions: { b: {run: x}, a: {run: x} } }, y: { actions: { a: {run: x} } } }',
    );
    expect(Object.keys(file.services)).toEqual(['z', 'y']);
    expect(Object.keys(file.services['z']?.actions ?? {})).toEqual(['b', 'a']);
  });

  it('is found by its folder', () => {
    const parsed = parseServiceFile(
      fileOf({ a: { run: 'x', cwd: '../b' } }),
      '/etc/upkeep/a/up.yaml',
      REGISTRY,
    );
    expect(parsed).toMatchObject({ file: { services: { s: { actions: { a: { cwd: '/etc/upkeep/b' } } } } } });
  });
});

describe('fields', () => {
  it.each([
    [{ cwd: '/abs/./x' }, { cwd: '/abs/x' }],
    [{ cwd: 'sub' }, { cwd: '/srv/app/sub' }],
    [{ env_file: ['.env', '/etc/env'] }, { env_file: ['/srv/app/.env', '/etc/env'] }],
    [{ cwd: 'sub', env_file: '../.env' }, { env_file: ['/srv/app/.env'] }],
    [{ cwd: 'sub', pid_file: 'x.pid' }, { pid_file: '/srv/app/sub/x.pid' }],
    [
      { env: { A: 1, B: true, C: '', D: 1.5, _e: -3 } },
      { env: { A: '1', B: 'true', C: '', D: '1.5', _e: '-3' } },
    ],
    [{ run: ['sleep', 60, false, ''] }, { run: ['sleep', '60', 'false', ''] }],
    [{ run: 'a\nb\n' }, { run: 'a\nb\n' }],
    [{ stop: { signal: 'INT', timeout: 0 } }, { stop: { signal: 'SIGINT', timeout: 0 } }],
    [{ stop: { signal: 'SIGKILL' } }, { stop: { signal: 'SIGKILL', timeout: 10_000 } }],
    [{ stop: { signal: 'WINCH' } }, { stop: { signal: 'SIGWINCH', timeout: 10_000 } }],
    [{ logs: { rotate: [] } }, { logs: { ...DEFAULTS.logs, rotate: [] } }],
    [{ logs: { rotate: [{ type: 'moon' }] } }, { logs: { ...DEFAULTS.logs, rotate: [{ type: 'moon' }] } }],
    [
      { logs: { rotate: [{ type: 'weight' }], keep: 0, max_total: 5000, max_age: '7d', compress: 'none' } },
      {
        logs: {
          rotate: [{ type: 'weight', max: 10_485_760 }],
          keep: 0,
          max_total: 5000,
          max_age: 7 * 86_400_000,
          compress: 'none',
        },
      },
    ],
    [
      {
        restart: {
          policy: 'never',
          delay: 0,
          factor: 1,
          max_delay: 0,
          jitter: 0,
          stable_after: '1m30s',
          max_attempts: 3,
        },
      },
      {
        restart: {
          policy: 'never',
          delay: 0,
          factor: 1,
          max_delay: 0,
          jitter: 0,
          stable_after: 90_000,
          max_attempts: 3,
        },
      },
    ],
  ])('%j', (written, checked) => {
    expect(actionWith(written)).toMatchObject(checked);
  });

  it.each([
    [8080, { address: null, port: 8080 }],
    ['8080', { address: null, port: 8080 }],
    ['*:8080', { address: null, port: 8080 }],
    ['0.0.0.0:8080', { address: null, port: 8080 }],
    ['[::]:8080', { address: null, port: 8080 }],
    ['[0::1]:8080', { address: '::1', port: 8080 }],
  ])('the port %j', (written, port) => {
    const action = actionWith({ process: true, tcp_ports: [written], udp_ports: [written] });
    expect(action.tcp_ports).toEqual([{ kind: 'tcp', ...port }]);
    expect(action.udp_ports).toEqual([{ kind: 'udp', ...port }]);
  });

  it('sockets: absolute, relative to cwd, abstract', () => {
    const sockets = ['/run/x.sock', 'a/y.sock', '@z'];
    expect(actionWith({ process: true, cwd: 'sub', sockets }).sockets).toEqual([
      '/run/x.sock',
      '/srv/app/sub/a/y.sock',
      '@z',
    ]);
  });

  it('sockets: as long as the kernel takes them', () => {
    const sockets = [`/${'x'.repeat(106)}`, `@${'x'.repeat(107)}`];
    expect(actionWith({ process: true, sockets }).sockets).toEqual(sockets);
  });
});

describe('kill_other', () => {
  const own = { process: true, tcp_ports: [80], udp_ports: ['[::1]:53'], sockets: ['x.sock'] };
  const nothing = { ports: [], sockets: [], process_filters: [] };

  it.each(['kill_other', 'kill_others'])('%s: true is all that the action claims', (spelling) => {
    expect(actionWith({ ...own, [spelling]: true }).kill_other).toEqual({
      ports: [
        { kind: 'tcp', address: null, port: 80 },
        { kind: 'udp', address: '::1', port: 53 },
      ],
      sockets: ['/srv/app/x.sock'],
      process_filters: [],
    });
  });

  it.each(['kill_other', 'kill_others'])('%s: {} grants nothing', (spelling) => {
    expect(actionWith({ ...own, [spelling]: {} }).kill_other).toEqual(nothing);
  });

  it('false is no permission, as is absence', () => {
    expect(actionWith({ ...own, kill_other: false }).kill_other).toBeNull();
    expect(actionWith(own).kill_other).toBeNull();
  });

  it('a map is exactly what it lists', () => {
    const kill_other = {
      ports: [81, '127.0.0.1:82', 'tcp:83', 'udp:84', 'udp:[::1]:85'],
      sockets: ['other.sock', '@abstract'],
      process_filters: ['node *server.js*', '/usr/bin/redis-server'],
    };
    expect(actionWith({ ...own, cwd: '/c', kill_other }).kill_other).toEqual({
      ports: [
        { kind: 'tcp', address: null, port: 81 },
        { kind: 'tcp', address: '127.0.0.1', port: 82 },
        { kind: 'tcp', address: null, port: 83 },
        { kind: 'udp', address: null, port: 84 },
        { kind: 'udp', address: '::1', port: 85 },
      ],
      sockets: ['/c/other.sock', '@abstract'],
      process_filters: ['node *server.js*', '/usr/bin/redis-server'],
    });
  });

  it('is for a oneshot too', () => {
    expect(actionWith({ kill_other: { ports: [80] } }).kill_other?.ports).toHaveLength(1);
  });
});

describe('claims that are not in each other’s way', () => {
  it.each([
    [{ tcp_ports: ['127.0.0.1:80'] }, { tcp_ports: ['127.0.0.2:80', '[::1]:80'] }],
    [{ tcp_ports: [80] }, { udp_ports: [80] }],
    [{ tcp_ports: [80] }, { tcp_ports: [81] }],
    [{ tcp_ports: [80, '127.0.0.1:80'] }, {}],
    [{ sockets: ['@x'] }, { sockets: ['x'] }],
    [{ sockets: ['x'] }, { cwd: 'b', sockets: ['x'] }],
    [{ tcp_ports: [80] }, { kill_other: { ports: [80] } }],
  ])('%j and %j', (one, other) => {
    const file = fileOf({ a: { run: 'x', process: true, ...one }, b: { run: 'x', process: true, ...other } });
    expect(Object.keys(accepted(file).services['s']?.actions ?? {})).toEqual(['a', 'b']);
  });
});
