/**
 * From other programs' files to a service file that is right, as far as it goes.
 */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { safeName } from '../../../../adapters/cli/init/draft.ts';
import { runCommandLine } from '../../../../adapters/cli/program.ts';
import { parseServiceFile } from '../../../../core/spec/mod.ts';
import type { ActionSpec, ServiceFile } from '../../../../core/spec/spec.ts';
import { builtInPlugins } from '../../../../plugins/mod.ts';
import { MemoryIo } from '../memory_io.ts';

let dir: string;
let io: MemoryIo;
beforeEach(() => {
  dir = join(realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-init-'))), 'my shop');
  mkdirSync(dir);
  io = new MemoryIo(dir, { PATH: process.env['PATH'] ?? '' });
});
afterEach(() => rmSync(join(dir, '..'), { recursive: true, force: true }));

function fixture(name: string, as = name): void {
  copyFileSync(new URL(`../../../fixtures/init/${name}`, import.meta.url), join(dir, as));
}

const init = (...argv: string[]): Promise<number> => runCommandLine(['init', ...argv], io);
const written = (name = 'upkeep.yaml'): string => readFileSync(join(dir, name), 'utf8');

function parsed(): ServiceFile {
  const result = parseServiceFile(written(), join(dir, 'upkeep.yaml'), builtInPlugins);
  if ('issues' in result) throw new Error(JSON.stringify(result.issues));
  return result.file;
}

function action(service: string, name = 'main'): ActionSpec {
  const found = parsed().services[service]?.actions[name];
  if (found === undefined) throw new Error(`no ${service}/${name} in\n${written()}`);
  return found;
}

describe('a Procfile', () => {
  test('becomes a service for each process, by the command as it is', async () => {
    fixture('Procfile');
    writeFileSync(join(dir, '.env'), 'A=b\n');
    expect(await init()).toBe(0);
    expect(Object.keys(parsed().services)).toEqual(['web', 'worker', 'clock_work', 'release']);
    expect(action('web')).toMatchObject({
      process: true,
      run: /^web: (.+)$/m.exec(readFileSync(join(dir, 'Procfile'), 'utf8'))?.[1],
      env: { PORT: '5000' },
      env_file: [join(dir, '.env')],
      tcp_ports: [{ kind: 'tcp', address: null, port: 5000 }],
    });
    expect(action('clock_work').run).toBe('node clock.js --every "5 minutes"');
    expect(action('release').process).toBe(false);
    expect(io.stdout).toContain('clock_work\n  it was called "Clock_Work"\n');
    expect(io.stdout).toContain('worker: all of it\n');
    expect(written()).toContain('# it was called "Clock_Work"\n  clock_work:');
  });

  test('that is none is refused, and nothing is written', async () => {
    writeFileSync(join(dir, 'Procfile'), 'web: ok\nnot a process\n');
    expect(await init()).toBe(2);
    expect(io.stderr).toContain("line 2 of the Procfile is no 'name: command'");
    expect(() => written()).toThrow('ENOENT');
  });
});

describe('a compose file', () => {
  test('becomes a service with an action for each container, in order, through docker compose', async () => {
    fixture('docker-compose.yml');
    expect(await init()).toBe(0);
    expect(Object.keys(parsed().services)).toEqual(['shop_front']);
    expect(action('shop_front', 'proxy')).toMatchObject({
      process: true,
      run: [
        ...['docker', 'compose', '-f', 'docker-compose.yml', 'up', '--no-deps', '--no-color'],
        ...['--abort-on-container-exit', 'proxy'],
      ],
      after: ['backend'],
      tcp_ports: [
        { kind: 'tcp', address: null, port: 80 },
        { kind: 'tcp', address: '127.0.0.1', port: 8443 },
      ],
      ready: { claims: 'open' },
      restart: { policy: 'always' },
    });
    expect(action('shop_front', 'backend')).toMatchObject({
      after: ['db', 'cache-redis'],
      tcp_ports: [{ port: 5001 }],
      stop: { timeout: 95_000 },
    });
    expect(action('shop_front', 'cache-redis')).toMatchObject({
      udp_ports: [{ kind: 'udp', address: null, port: 5353 }],
      health: [
        {
          type: 'exec',
          interval: 5000,
          timeout: 3000,
          failures: 5,
          options: {
            run: [
              ...['docker', 'compose', '-f', 'docker-compose.yml', 'exec', '-T', 'Cache.Redis'],
              ...['redis-cli', 'ping'],
            ],
          },
        },
      ],
    });
    expect(action('shop_front', 'db')).toMatchObject({
      restart: { policy: 'on_failure', max_attempts: 3 },
      health: [{ interval: 30_000, start_period: 20_000 }],
    });
    expect(action('shop_front', 'other-proxy')).toMatchObject({
      tcp_ports: [],
      restart: { policy: 'never' },
    });
    for (const remark of [
      'the port "3000-3005:3000-3005" is not watched',
      'the port 9000 is not watched',
      'upkeep keeps it as one, not 3',
      'it is started always, whatever its profiles',
      'its ports are those of another one: not watched',
    ]) {
      expect(io.stdout).toContain(remark);
      expect(written()).toContain(`# ${remark}`);
    }
    expect(written()).not.toContain('hunter2');
  });

  test.each(['services: []', '[]', 'a: b: c', 'services: {}'])('%j is none', async (text) => {
    writeFileSync(join(dir, 'compose.yaml'), text);
    expect(await init()).toBe(2);
  });
});

describe('a pm2 ecosystem file', () => {
  test('is run in a process of its own, which is said before, and becomes a service for each app', async () => {
    fixture('ecosystem.config.js');
    expect(await init()).toBe(0);
    expect(io.stderr).toBe(`running ${join(dir, 'ecosystem.config.js')} with node, to see what it exports\n`);
    expect(Object.keys(parsed().services)).toEqual(['api', 'mail-worker', 'npm', 'api-2']);
    expect(action('api')).toMatchObject({
      process: true,
      run: ['node', '--max-old-space-size=512', './dist/server.js', '--port', '3000'],
      env: { PORT: '3000', NODE_ENV: 'development', FEATURES: '{"dark":true}' },
      tcp_ports: [{ port: 3000 }],
      restart: { delay: 4000, stable_after: 30_000, max_attempts: 10 },
      stop: { signal: 'SIGINT', timeout: 3000 },
    });
    expect(action('mail-worker')).toMatchObject({
      run: ['python3', 'worker.py', '-u', 'two words'],
      cwd: '/srv/mail',
    });
    expect(action('npm')).toMatchObject({ run: ['npm', 'run', 'queue'], restart: { policy: 'never' } });
    expect(action('api-2').run).toEqual(['./tool']);
    for (const remark of [
      'one process is started, not max',
      'variables of another environment were left out (env_production)',
      '(watch)',
      '(max_memory_restart)',
      '(out_file)',
      '(cron_restart)',
      'upkeep does not deploy',
    ]) {
      expect(io.stdout).toContain(remark);
    }
  });

  test('as JSON is read, not run', async () => {
    writeFileSync(join(dir, 'pm2.json'), JSON.stringify([{ script: 'a.sh' }]));
    expect(await init()).toBe(0);
    expect(io.stderr).toBe('');
    expect(action('a').run).toEqual(['bash', 'a.sh']);
  });

  test.each([
    ['throws', 'throw new Error("hunter")', 'cannot be run'],
    ['exports nothing of use', 'module.exports = 7', 'has no list of apps'],
    ['has an app without a script', 'module.exports = { apps: [{}] }', 'app 1 has no script'],
  ])('that %s is refused', async (_, text, message) => {
    writeFileSync(join(dir, 'ecosystem.config.cjs'), text);
    expect(await init()).toBe(2);
    expect(io.stderr).toContain(message);
  });
});

describe('a package.json', () => {
  test('becomes a service of its start script', async () => {
    fixture('package.json');
    expect(await init()).toBe(0);
    expect(action('web-shop').run).toEqual(['npm', 'run', '--silent', 'start']);
    expect(io.stdout).toContain('other scripts were left out: build, test');
  });

  test('without one is refused', async () => {
    writeFileSync(join(dir, 'package.json'), '{"scripts":{"build":"tsc"}}');
    expect(await init()).toBe(2);
  });
});

describe('writing', () => {
  test('never over what is there, unless --force says so', async () => {
    fixture('package.json');
    writeFileSync(join(dir, 'upkeep.yaml'), 'mine');
    expect(await init()).toBe(1);
    expect(io.stderr).toContain('is there already; --force writes over it');
    expect(written()).toBe('mine');
    expect(await init('--force')).toBe(0);
    expect(written()).toContain('web-shop:');
  });

  test('to where it is told, from what it is told, with an answer for programs', async () => {
    fixture('Procfile', 'Procfile.dev');
    mkdirSync(join(dir, 'conf'));
    expect(await init('--from', 'Procfile.dev', '-o', 'conf/up.yaml', '--json')).toBe(0);
    const answer = JSON.parse(io.stdout);
    expect(answer).toMatchObject({ from: join(dir, 'Procfile.dev'), file: join(dir, 'conf', 'up.yaml') });
    expect(answer.services[0]).toMatchObject({ name: 'web', actions: [{ name: 'main' }] });
    expect(written('conf/up.yaml')).toContain('../Procfile.dev');
    expect(written('conf/up.yaml')).toMatch(/run: bundle exec sidekiq .*\n {8}cwd: \.\.\n/);
  });

  test('nothing where there is nothing to begin from', async () => {
    expect(await init()).toBe(2);
    expect(io.stderr).toContain('name one with --from FILE');
    expect(await init('--from', 'nowhere')).toBe(2);
  });

  test('no remark can be anything else than a comment', async () => {
    writeFileSync(join(dir, 'pm2.json'), JSON.stringify([{ name: 'a\nservices: x', script: 'a.js' }]));
    expect(await init()).toBe(0);
    expect(Object.keys(parsed().services)).toEqual(['a-services-x']);
  });
});

describe('safeName', () => {
  test.each([
    ['web', 'web'],
    ['My API', 'my-api'],
    ['_x_', 'x_'],
    ['äöü', 'app'],
    ['-', 'app'],
    ['x'.repeat(80), 'x'.repeat(60)],
  ])('%j is %j', (wanted, name) => {
    expect(safeName(wanted, new Set())).toBe(name);
  });

  test('is never one that is taken', () => {
    const taken = new Set<string>();
    expect(['a', 'A', 'a', 'a-2'].map((name) => safeName(name, taken))).toEqual(['a', 'a-2', 'a-3', 'a-2-2']);
  });
});
