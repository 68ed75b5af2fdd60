/**
 * The contract suite, for every built-in health check.
 */
import { utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { describe, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import type { HealthCheckPlugin } from '../../core/plugin/definition.ts';
import { inProcessHealthCheck } from '../../core/plugin/health_check.ts';
import { execCheck } from '../../plugins/health_exec.ts';
import { heartbeatCheck } from '../../plugins/health_heartbeat.ts';
import { httpCheck } from '../../plugins/health_http.ts';
import { logCheck } from '../../plugins/health_log.ts';
import { tcpCheck } from '../../plugins/health_tcp.ts';
import { unixCheck } from '../../plugins/health_unix.ts';
import { builtInPlugins } from '../../plugins/mod.ts';
import { type HealthSituation, healthCheckCases, type SetUp } from '../contract/health_check.ts';
import { describeContract } from '../contract/vitest.ts';
import { Place, type Written } from './health_support.ts';

/** A situation in a place of its own. */
function at(arrange: (place: Place) => Promise<HealthSituation> | HealthSituation): SetUp {
  return async () => {
    const place = new Place();
    return { ...(await arrange(place)), end: () => place.end() };
  };
}

function web(status: number | null): SetUp {
  return at(async (place) => {
    const server = createServer((_, response) => {
      if (status !== null) response.writeHead(status).end('hello');
    });
    const port = await place.listen(server);
    return { options: { url: `http://127.0.0.1:${port}/` } };
  });
}

const refuses = at(async (place) => ({ options: { port: await place.freePort() } }));
const echoes = at(async (place) => {
  const port = await place.serve((socket) => socket.pipe(socket));
  return { options: { port, send: 'PING', expect: 'PING' } };
});
const says =
  (text: string | null, path = 'a.sock'): SetUp =>
  async () => {
    const place = new Place();
    await place.serve((socket) => text !== null && socket.end(text), { path: place.path('a.sock') });
    return {
      options: { path, expect: 'hello' },
      job: { cwd: place.dir },
      end: () => place.end(),
    };
  };
const log = (options: Written, readLog: () => Promise<readonly string[]>): SetUp =>
  at(() => ({ options, readLog }));
const touched = (age: number): SetUp =>
  at((place) => {
    writeFileSync(place.path('beat'), '');
    const time = (Date.now() - age) / 1000;
    utimesSync(place.path('beat'), time, time);
    return { options: { path: 'beat', within: '1m' }, job: { cwd: place.dir } };
  });
const run = (script: string): SetUp => at(() => ({ options: { run: script } }));

const NEVER = new Promise<never>(() => {});

/** Sets up, for each check, what the suite asks for. */
const SITUATIONS: Readonly<
  Record<string, { plugin: HealthCheckPlugin; good: SetUp; bad: SetUp; broken: SetUp; silent?: SetUp }>
> = {
  http: {
    plugin: httpCheck as HealthCheckPlugin,
    good: web(200),
    bad: web(503),
    broken: at(() => ({ options: { url: 'http://no-such-host.invalid/' } })),
    silent: web(null),
  },
  tcp: {
    plugin: tcpCheck as HealthCheckPlugin,
    good: echoes,
    bad: refuses,
    broken: at(() => ({ options: { host: 'no-such-host.invalid', port: 1 } })),
    silent: at(async (place) => ({ options: { port: await place.serve(() => {}), expect: 'x' } })),
  },
  unix: {
    plugin: unixCheck as HealthCheckPlugin,
    good: says('hello'),
    bad: says('sorry'),
    broken: says('hello', 'x'.repeat(120)),
    silent: says(null),
  },
  exec: {
    plugin: execCheck as HealthCheckPlugin,
    good: run('echo "OK | a=1"'),
    bad: run('echo "CRITICAL"; exit 2'),
    broken: run('echo "UNKNOWN"; exit 3'),
    silent: run('sleep 1000 & wait'),
  },
  log: {
    plugin: logCheck as HealthCheckPlugin,
    good: log({ must: 'ready' }, async () => ['starting', 'ready']),
    bad: log({ must_not: '/error/i' }, async () => ['starting', 'Error: disk']),
    broken: log({ must: 'ready' }, () => Promise.reject(new Error('Cannot read the log: EMFILE'))),
    silent: log({ must: 'ready' }, () => NEVER),
  },
  heartbeat: {
    plugin: heartbeatCheck as HealthCheckPlugin,
    good: touched(1000),
    bad: touched(120_000),
    broken: at((place) => {
      writeFileSync(place.path('file'), '');
      return { options: { path: 'x'.repeat(300) }, job: { cwd: place.dir } };
    }),
  },
};

for (const [name, { plugin, ...situations }] of Object.entries(SITUATIONS)) {
  const check = inProcessHealthCheck(plugin, nodeHost());
  describe(`health check ${name}`, () => describeContract(healthCheckCases({ check, ...situations })));
}

describe('the contract suite', () => {
  it('is run for every built-in health check', () => {
    expect(builtInPlugins.health_checks.map(({ name }) => name)).toEqual(Object.keys(SITUATIONS));
  });

  it.each<[string, Partial<HealthCheckPlugin>, string]>([
    ['has no name', { name: 'Mine!' }, 'has a name'],
    ['always passes', { check: () => ({ status: 'pass', message: 'fine' }) }, 'fails where it is ill'],
    [
      'always fails',
      { check: () => ({ status: 'fail', message: 'bad' }) },
      'passes where the service is well',
    ],
    [
      'answers nonsense',
      { check: () => ({ status: 'great' as 'pass', message: 'a\nb' }) },
      'answers as is laid down',
    ],
    [
      'takes a failure to look for an illness',
      {
        check: async (options, ctx) => {
          try {
            return await (tcpCheck as HealthCheckPlugin).check(options, ctx);
          } catch {
            return { status: 'fail', message: 'could not look' };
          }
        },
      },
      'throws, and says why',
    ],
  ])('finds that one %s', async (_, change, part) => {
    const plugin = { ...(tcpCheck as HealthCheckPlugin), ...change };
    const { good, bad, broken } = SITUATIONS['tcp'] as (typeof SITUATIONS)[string];
    const cases = healthCheckCases({ check: inProcessHealthCheck(plugin, nodeHost()), good, bad, broken });
    const found = cases.find(({ name }) => name.startsWith(part));
    await expect((async () => await found?.run())()).rejects.toThrow();
  });
});
