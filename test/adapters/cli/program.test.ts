import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { OutputClosed } from '../../../adapters/cli/io.ts';
import { runCommandLine } from '../../../adapters/cli/program.ts';
import { createApp } from '../../../adapters/http/app.ts';
import { serveUnix, type UnixServer } from '../../../adapters/http/serve_unix.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import { HealRefused } from '../../../core/heal/heal_control.ts';
import {
  FakeControl,
  fakeEvent,
  fakeHealResult,
  fakeJob,
  fakePlan,
  fakeService,
} from '../../core/operation/fake_control.ts';
import { smallHost } from '../http/small_host.ts';
import { MemoryIo } from './memory_io.ts';

let dir: string;
let control: FakeControl;
let server: UnixServer;
let io: MemoryIo;

beforeEach(async () => {
  dir = realpathSync(mkdtempSync(join(tmpdir(), 'upkeep-cli-')));
  mkdirSync(join(dir, '.upkeep'), { mode: 0o700 });
  control = new FakeControl();
  const streams = new OpenStreams();
  const app = createApp(control, { clock: smallHost.clock, streams, report: () => {} });
  server = await serveUnix(app, join(dir, '.upkeep', 'upkeep.sock'), { host: smallHost, streams });
  io = new MemoryIo(dir);
});

afterEach(async () => {
  await server.close(0);
  rmSync(dir, { recursive: true, force: true });
});

function upkeep(...argv: string[]): Promise<number> {
  return runCommandLine(argv, io);
}

describe('exit codes', () => {
  test.each([['--help'], ['--version'], ['status', '--help']])(
    '0: help and version (%s %s)',
    async (...argv) => {
      expect(await upkeep(...argv.filter((argument) => argument !== undefined))).toBe(0);
      expect(io.stdout).not.toBe('');
    },
  );

  const wrong: string[][] = [
    [],
    ['dance'],
    ['start'],
    ['status', 'a', 'b'],
    ['status', '--colour'],
    ['start', 'web', '--timeout', 'soon'],
    ['logs', 'web', '-n', 'ten'],
    ['logs', 'web', '-n', '-1'],
    ['logs', 'web', '--since', 'yesterday'],
    ['events', '-n', '1001'],
    ['up', '--recovery', 'adopt'],
    ['holders', '8080'],
    ['signal', 'web'],
    ['signal', 'web', 'SEGV'],
    ['search'],
    ['search', '/(/'],
    ['search', 'x', '-n', '0x'],
    ['apply', 'nothing.yaml'],
    ['holders', ':99999'],
    ['status', ''],
    ['why', '..'],
    ['up', '-f', 'nothing.yaml'],
    ['check', 'nothing.yaml'],
  ];
  test.each(wrong.map((argv) => [argv.join(' '), argv] as const))('2: wrong use (%s)', async (_, argv) => {
    expect(await upkeep(...argv)).toBe(2);
    expect(io.stderr).not.toBe('');
    expect(io.stdout).toBe('');
  });

  const unknown: string[][] = [
    ['status', 'wbe'],
    ['start', 'wbe'],
    ['stop', 'wbe', '--no-wait'],
    ['restart', 'wbe'],
    ['why', 'wbe'],
    ['heal', 'wbe', '--yes'],
    ['jobs', 'wbe'],
    ['jobs', 'wbe/main'],
    ['runs', 'wbe'],
    ['logs', 'wbe'],
    ['signal', 'wbe', 'HUP'],
    ['events', 'wbe'],
  ];
  test.each(unknown.map((argv) => [argv.join(' '), argv] as const))('3: not found (%s)', async (_, argv) => {
    expect(await upkeep(...argv)).toBe(3);
    expect(io.stderr).toBe("upkeep: no service 'wbe'; did you mean 'web'?\n");
  });

  test.each(['logs', 'status', 'why'])('3: no such action (%s)', async (command) => {
    expect(await upkeep(command, 'web/side')).toBe(3);
    expect(await upkeep(command, 'web/mian')).toBe(3);
    expect(io.stderr).toBe(
      "upkeep: 'web' has no action 'side'; it has: main\nupkeep: 'web' has no action 'mian'; did you mean 'main'?\n",
    );
  });

  test('4: in a folder without a service file, it is said that this may be the wrong one', async () => {
    const elsewhere = join(dir, 'sub');
    mkdirSync(elsewhere);
    const there = new MemoryIo(elsewhere);
    expect(await runCommandLine(['status'], there)).toBe(4);
    expect(there.stderr).toContain('there is no service file here either');
    writeFileSync(join(elsewhere, 'upkeep.yaml'), 'services: {}');
    there.stderr = '';
    expect(await runCommandLine(['status'], there)).toBe(4);
    expect(there.stderr).toContain('start it with: upkeep up');
  });

  const talking: string[][] = [
    ['status'],
    ['start', 'web'],
    ['logs', 'web'],
    ['logs', 'web', '-f'],
    ['why', 'web'],
    ['heal', 'web', '--dry-run'],
    ['holders', ':80'],
    ['events', '-f'],
    ['signal', 'web', 'HUP'],
    ['search', 'one'],
    ['down'],
  ];
  test.each(talking.map((argv) => [argv.join(' '), argv] as const))('4: no daemon (%s)', async (_, argv) => {
    expect(await upkeep(...argv, '--state', 'elsewhere')).toBe(4);
    expect(io.stderr).toBe(`upkeep: no upkeep runs on ${join(dir, 'elsewhere')}; start it with: upkeep up\n`);
    mkdirSync(join(dir, 'elsewhere'));
    expect(await upkeep(...argv, '--state', 'elsewhere')).toBe(4);
  });

  test('apply tells a change, signal and search say what they did', async () => {
    writeFileSync(join(dir, 'upkeep.yaml'), 'services: {}');
    expect(await upkeep('apply', '--dry-run')).toBe(0);
    expect(io.stdout).toBe('+ new\n~ web/main (is restarted)\n    run: "a" → "b"\n  1 unchanged\n');
    expect(await upkeep('signal', 'web', 'hup')).toBe(0);
    expect(io.stdout).toContain('SIGHUP was sent to web/main (pid 4711)\n');
    expect(
      await upkeep(
        'search',
        'one',
        'web/main',
        '--since',
        '1700000000000',
        '--until',
        '1700000000001',
        '-n',
        '5',
      ),
    ).toBe(0);
    expect(io.stdout).toMatch(/Z web\/main#0 one\n$/);
    expect(control.calls).toEqual([
      ['applySpec', 'services: {}', { dry_run: true }, 'cli'],
      ['signal', 'job-web', 'SIGHUP', 'cli'],
      [
        'lines.search',
        {
          query: 'one',
          service: 'web',
          action: 'main',
          since: 1_700_000_000_000,
          until: 1_700_000_000_001,
          limit: 5,
        },
      ],
    ]);
  });

  test('a failure is a document where JSON is asked for', async () => {
    expect(await upkeep('why', 'wbe', '--json')).toBe(3);
    expect(JSON.parse(io.stderr)).toMatchObject({
      exit_code: 3,
      message: "no service 'wbe'; did you mean 'web'?",
      problem: { code: 'not_found', suggestion: 'web' },
    });
    expect(io.stdout).toBe('');
  });

  const misused: [string[], RegExp][] = [
    [['status', '--json', '--bogus'], /^unknown option '--bogus'/],
    [['status', '--bogus', '--json'], /^unknown option '--bogus'/],
    [['stauts', '--json'], /^unknown command 'stauts'/],
    [['why', '--json'], /^missing required argument 'service/],
    [['logs', 'web', '--json', '-n', 'many'], /whole number/],
  ];
  test.each(misused.map(([argv, says]) => [argv.join(' '), argv, says] as const))(
    'wrong use is a document too where JSON is asked for (%s)',
    async (_, argv, says) => {
      expect(await upkeep(...argv)).toBe(2);
      const document = JSON.parse(io.stderr);
      expect(document).toEqual({ exit_code: 2, message: expect.stringMatching(says), problem: null });
      expect(io.stdout).toBe('');
    },
  );

  test('what follows -- asks for no JSON', async () => {
    expect(await upkeep('status', '--', 'web', '--json')).toBe(2);
    expect(io.stderr).toMatch(/^error: /);
  });

  test('a reader that leaves is no failure', async () => {
    io.out = async () => {
      throw new OutputClosed('gone');
    };
    expect(await upkeep('status')).toBe(0);
    expect(io.stderr).toBe('');
  });
});

describe('check', () => {
  test('0: a file that is right', async () => {
    writeFileSync(join(dir, 'upkeep.yaml'), 'services: { web: { actions: { main: { run: "true" } } } }');
    expect(await upkeep('check')).toBe(0);
    expect(io.stdout).toBe(`${join(dir, 'upkeep.yaml')} is right\n`);
  });

  test('2: everything that is wrong, with its place', async () => {
    writeFileSync(
      join(dir, 'bad.yaml'),
      'services:\n  web:\n    actions:\n      main: { rum: x, tcp_ports: [70000] }\n',
    );
    expect(await upkeep('check', 'bad.yaml')).toBe(2);
    expect(io.stderr).toMatch(/^bad\.yaml:4:\d+ services\.web\.actions\.main/m);
    expect(io.stderr.trimEnd().split('\n').length).toBeGreaterThan(2);
    expect(io.stdout).toBe('');
  });

  test('as JSON', async () => {
    writeFileSync(join(dir, 'bad.yaml'), 'services: 7');
    expect(await upkeep('check', 'bad.yaml', '--json')).toBe(2);
    expect(JSON.parse(io.stdout)).toMatchObject({ valid: false, issues: [{ path: 'services' }] });
  });
});

describe('status', () => {
  test('a table', async () => {
    control.list = [
      fakeService('web'),
      fakeService('api', {
        actions: [{ ...fakeService('api').actions[0], pid: null, phase: 'retrying' }] as never,
      }),
    ];
    expect(await upkeep('status')).toBe(0);
    const [heading, api, web] = io.stdout.split('\n');
    expect(heading).toMatch(/^SERVICE\/ACTION +STATE +PID +UPTIME +RESTARTS +ATTEMPT +REASON$/);
    expect(api).toMatch(/^api\/main +retrying +- +- +2 +0 +EXITED: exited with code 3$/);
    expect(web).toMatch(
      /^web\/main +running +4711 +\d+d(\d+h)? +2 +0 +restarted after EXITED: exited with code 3$/,
    );
  });

  test('everything, over as many pages as it takes', async () => {
    control.list = Array.from({ length: 2500 }, (_, index) => fakeService(`s${index}`));
    expect(await upkeep('status', '--json')).toBe(0);
    const { items, next_cursor } = JSON.parse(io.stdout);
    expect([items.length, next_cursor]).toEqual([2500, null]);
  });

  test('one service, and what its checks say', async () => {
    const [action] = fakeService('web').actions;
    const check = {
      type: 'http',
      role: 'liveness',
      on_failure: 'report',
      health: 'unhealthy',
      status: 'fail',
      message: 'no answer within 1 s',
      data: {},
      looked_at: Date.now() - 3_000,
      duration: 1_000.4,
      passes: 0,
      fails: 3,
    };
    control.list = [
      fakeService('web', { actions: [{ ...action, health: 'unhealthy', checks: [check] }] as never }),
    ];
    expect(await upkeep('status', 'web')).toBe(0);
    const lines = io.stdout.split('\n');
    expect(lines[1]).toMatch(/^web\/main +running, unhealthy +/);
    expect(lines[3]).toMatch(/^ACTION +CHECK +ROLE +HEALTH +LAST LOOK +TOOK +SAID$/);
    expect(lines[4]).toMatch(
      /^main +http +liveness +unhealthy +\ds ago +1000ms +fail: no answer within 1 s$/,
    );
  });

  test('one service in JSON', async () => {
    expect(await upkeep('status', 'web', '--json')).toBe(0);
    expect(JSON.parse(io.stdout)).toEqual(JSON.parse(JSON.stringify(fakeService('web'))));
  });
});

describe('start, stop and restart', () => {
  test('wait, and say what became of it', async () => {
    expect(await upkeep('restart', 'web', '--timeout', '2m')).toBe(0);
    expect(control.calls).toEqual([
      ['restart', 'web', 'cli'],
      ['settled', 'web', 120_000],
    ]);
    expect(io.stdout).toBe('web is up\n');
  });

  test('do not wait where told', async () => {
    expect(await upkeep('start', 'web', '--no-wait')).toBe(0);
    expect(control.calls).toEqual([['start', 'web', 'cli']]);
    expect(io.stdout).toBe('web is wanted up, and up now\n');
  });

  test('1: it did not get there in time', async () => {
    control.settles = false;
    const [action] = fakeService('web').actions;
    control.list = [
      fakeService('web', { state: 'retrying', actions: [{ ...action, phase: 'retrying' } as never] }),
    ];
    expect(await upkeep('start', 'web')).toBe(1);
    expect(io.stderr).toBe(
      'upkeep: web is retrying after 1m\n  main: EXITED: exited with code 3\n    | last words\n    next: nothing to do\n',
    );
  });

  test('tell what they wait for, in place on a terminal and as lines elsewhere', async () => {
    const { settled } = control;
    let end = (): void => {};
    control.settled = async (...call) => {
      await new Promise<void>((resolve) => {
        end = resolve;
      });
      return settled.call(control, ...call);
    };
    const lines = upkeep('restart', 'web');
    await expect.poll(() => io.stderr).toBe('web is up.\n');
    end();
    expect(await lines).toBe(0);
    expect(io.stderr).toBe('web is up.\n');
    expect(io.shown).toEqual([]);

    io.live = 14;
    const inPlace = upkeep('restart', 'web');
    await expect.poll(() => io.shown).toEqual(['… 0s  web is…']);
    end();
    expect(await inPlace).toBe(0);
    expect(io.shown.at(-1)).toBe('');
  });

  test.each(['start', 'stop', 'restart', 'heal', 'remove'])(
    '2: an action alone cannot be told to %s, and it is said what can',
    async (verb) => {
      expect(await upkeep(verb, 'web/main', ...(verb === 'remove' ? ['--yes'] : []))).toBe(2);
      expect(io.stderr).toContain(`only as a whole: upkeep ${verb} web`);
      expect(control.calls).toEqual([]);
    },
  );

  test('1: it came to rest, and not where it is wanted', async () => {
    control.list = [fakeService('web', { state: 'failed' })];
    expect(await upkeep('start', 'web', '--json')).toBe(1);
    expect(JSON.parse(io.stdout)).toMatchObject({ service: { state: 'failed' }, settled: true });
  });
});

describe('logs', () => {
  test('of one action, as they were written', async () => {
    expect(await upkeep('logs', 'web')).toBe(0);
    expect(io.stdout).toBe('one\ntwo\nthree\n');
    expect(control.calls).toEqual([['log', 'job-web', {}]]);
  });

  test('a terminal is not flooded', async () => {
    io.columns = 80;
    await upkeep('logs', 'web');
    await upkeep('logs', 'web', '--incarnation', '1', '--grep', 'x');
    await upkeep('logs', 'web/main', '-n', '5', '--since', '2026-11-24');
    expect(control.calls).toEqual([
      ['log', 'job-web', { tail: 100 }],
      ['log', 'job-web', { incarnation: 1, grep: 'x' }],
      ['log', 'job-web', { tail: 5, since: Date.UTC(2026, 10, 24) }],
    ]);
  });

  test('of several actions, each line with its action', async () => {
    const [main] = fakeService('web').actions;
    const side = { ...main, action: 'sidecar', job_id: 'job-side' };
    control.list = [fakeService('web', { actions: [main, side] as never })];
    control.jobRows.push(fakeJob('web', { id: 'job-side', action: 'sidecar' }));
    control.logChunks = [Buffer.from('on'), Buffer.from('e\ntwo')];
    await upkeep('logs', 'web');
    expect(io.stdout).toBe('main    | one\nmain    | two\nsidecar | one\nsidecar | two\n');
  });

  test('as JSON', async () => {
    await upkeep('logs', 'web', '--json');
    expect(
      io.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual(['one', 'two', 'three'].map((line) => ({ action: 'main', line })));
  });

  test('followed until upkeep ends', async () => {
    const following = upkeep('logs', 'web', '-f');
    await expect.poll(() => io.stdout).toBe('one\ntwo\nthree\n');
    await server.close(0);
    expect(await following).toBe(0);
  });
});

describe('events', () => {
  test('the newest', async () => {
    await upkeep('events', '-n', '2');
    expect(
      io.stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.replace(/.* {2}/, '')),
    ).toEqual(['event 2', 'event 3']);
  });

  test('followed without a gap, as JSON lines', async () => {
    const following = upkeep('events', 'web', '-f', '-n', '1', '--json');
    await expect.poll(() => control.listeners.size).toBe(1);
    control.happen(fakeEvent(4, { service: 'api' }));
    control.happen(fakeEvent(5));
    const seqs = () =>
      io.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).seq);
    await expect.poll(seqs).toEqual([3, 5]);
    await server.close(0);
    expect(await following).toBe(0);
  });

  test('of a service that has gone are still there', async () => {
    control.history.push(fakeEvent(9, { service: 'gone' }));
    expect(await upkeep('events', 'gone')).toBe(0);
  });
});

describe('jobs, runs and health', () => {
  test('jobs are listed, of one service or action, or of all', async () => {
    control.jobRows.push(fakeJob('web', { id: 'job-side', action: 'side', finished_at: 1_700_000_000_000 }));
    expect(await upkeep('jobs')).toBe(0);
    expect(io.stdout.split('\n')[0]).toMatch(
      /^JOB +SERVICE\/ACTION +PHASE +RESTARTS +CREATED +ENDED +REASON$/,
    );
    expect(io.stdout.trimEnd().split('\n')).toHaveLength(5);
    const ids = async (...argv: string[]) => {
      io.stdout = '';
      expect(await upkeep('jobs', ...argv, '--json')).toBe(0);
      const { items, next_cursor } = JSON.parse(io.stdout);
      expect(next_cursor).toBeNull();
      return items.map(({ id }: { id: string }) => id);
    };
    expect(await ids('web')).toEqual(['job-web', 'job-side']);
    expect(await ids('web/side')).toEqual(['job-side']);
  });

  test('a job by its id has every field', async () => {
    expect(await upkeep('jobs', 'job-api')).toBe(0);
    expect(io.stdout).toMatch(/^id +job-api$/m);
    expect(io.stdout).toMatch(/^restart_count +2$/m);
    expect(io.stdout).toMatch(/^exit_signal +-$/m);
    expect(io.stdout).toMatch(/^created_at +2023-11-1\d \d\d:13:20$/m);
    expect(io.stdout).toMatch(/^reason +REQUESTED: started$/m);
    io.stdout = '';
    expect(await upkeep('jobs', 'job-api', '--json')).toBe(0);
    expect(JSON.parse(io.stdout)).toEqual(fakeJob('api'));
  });

  test('a job of an earlier run still has its log', async () => {
    control.jobRows.push(fakeJob('web', { id: 'job-old', run_id: 'run-old' }));
    expect(await upkeep('logs', 'job-old')).toBe(0);
    expect(control.calls).toEqual([['log', 'job-old', {}]]);
  });

  test('runs are listed, the newest first, and one is shown', async () => {
    expect(await upkeep('runs')).toBe(0);
    expect(io.stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'RUN',
      'run-api',
      'run-web',
      'run-old',
      '',
    ]);
    io.stdout = '';
    expect(await upkeep('runs', 'web', '-n', '1', '--json')).toBe(0);
    expect(JSON.parse(io.stdout).items.map(({ id }: { id: string }) => id)).toEqual(['run-web']);
    io.stdout = '';
    expect(await upkeep('runs', 'run-old')).toBe(0);
    expect(io.stdout).toMatch(/^id +run-old\nservice +web\n/);
  });

  test('an empty list says so, and is one for programs', async () => {
    control.jobRows = [];
    expect(await upkeep('jobs')).toBe(0);
    expect(io.stderr).toBe('there are no jobs\n');
    expect(await upkeep('jobs', '--json')).toBe(0);
    expect(io.stdout).toContain('"items": []');
  });

  test('health of upkeep itself', async () => {
    expect(await upkeep('health')).toBe(0);
    expect(io.stdout).toMatch(/^pid +1234$/m);
    expect(io.stdout).toMatch(/^store +works$/m);
    control.degraded = true;
    expect(await upkeep('health', '--json')).toBe(1);
  });
});

describe('set, remove and check', () => {
  test('set takes what a service is from the input or a file', async () => {
    io.given = '# of the input\nactions: { main: { run: "true" } }\n';
    expect(await upkeep('set', 'web', '--dry-run')).toBe(0);
    writeFileSync(join(dir, 'web.json'), '{"actions": {}}');
    expect(await upkeep('set', 'web', 'web.json')).toBe(0);
    expect(control.calls).toEqual([
      ['putService', 'web', { actions: { main: { run: 'true' } } }, { dry_run: true }, 'cli'],
      ['putService', 'web', { actions: {} }, { dry_run: false }, 'cli'],
    ]);
    expect(io.stdout).toContain('+ new\n~ web/main (is restarted)\n');
  });

  test.each(['', 'web', '- a', 'a: {'])('2: set refuses what is no map (%j)', async (given) => {
    io.given = given;
    expect(await upkeep('set', 'web')).toBe(2);
    expect(await upkeep('set', 'web', 'nothing.yaml')).toBe(2);
    expect(control.calls).toEqual([]);
  });

  test('remove asks, and does it only where the answer is yes', async () => {
    expect(await upkeep('remove', 'web')).toBe(2);
    io.answer = 'n';
    expect(await upkeep('remove', 'web')).toBe(1);
    expect(await upkeep('remove', 'web', '--dry-run')).toBe(0);
    const dry = ['deleteService', 'web', { dry_run: true }, 'cli'];
    expect(control.calls).toEqual([dry, dry, dry]);
    io.answer = 'y';
    expect(await upkeep('remove', 'web')).toBe(0);
    expect(await upkeep('remove', 'api', '--yes')).toBe(0);
    expect(control.calls.slice(4)).toEqual([
      ['deleteService', 'web', { dry_run: false }, 'cli'],
      ['deleteService', 'api', { dry_run: false }, 'cli'],
    ]);
    expect(await upkeep('remove', 'web', '--yes', '--dry-run')).toBe(2);
  });

  test('check lets the upkeep that runs look', async () => {
    writeFileSync(join(dir, 'upkeep.yaml'), 'services: {}');
    expect(await upkeep('check', '--daemon')).toBe(0);
    expect(control.calls).toEqual([['checkSpec', 'services: {}']]);
    expect(await upkeep('check', '--daemon', '--state', 'elsewhere')).toBe(4);
  });
});

describe('lines with their times', () => {
  test('for people and for programs', async () => {
    expect(await upkeep('logs', 'web', '-t', '-n', '5', '--incarnation', '0')).toBe(0);
    expect(control.calls).toEqual([['lines.read', 'job-web', { tail: 5, incarnation: 0, limit: 1000 }]]);
    expect(io.stdout).toBe('2023-11-14T22:13:20.000Z #0 one\n');
    io.stdout = '';
    expect(await upkeep('logs', 'web', '--times', '--json')).toBe(0);
    expect(JSON.parse(io.stdout)).toMatchObject({
      service: 'web',
      action: 'main',
      job_id: 'job-web',
      incarnation: 0,
      time: 1_700_000_000_000,
      text: 'one',
    });
  });

  test.each([['-f'], ['--grep', 'x']])('2: go not with %s', async (...argv) => {
    expect(await upkeep('logs', 'web', '-t', ...argv.filter((word) => word !== undefined))).toBe(2);
    expect(control.calls).toEqual([]);
  });
});

describe('heal', () => {
  const timeout = 60_000;
  const applied = ['heal.apply', 'web', { plan_id: 'h1' }, 'cli', timeout];

  test('shows the plan and does nothing with --dry-run', async () => {
    control.healPlan = fakePlan('web', {
      risk: 'high',
      blocked: [
        {
          action: 'side',
          reason: { code: 'PORT_HELD', message: 'port 80 is held by\npid 7 (nc)', evidence: {} },
          grant: '`kill_other: true`',
          instead: ['stop it by hand'],
        },
      ],
    });
    expect(await upkeep('heal', 'web', '--dry-run')).toBe(0);
    expect(io.stdout).toBe(
      'web  risk high\n  1. main: start main now\n  blocked  side: PORT_HELD: port 80 is held by pid 7 (nc)\n    would be allowed by `kill_other: true`\n    instead stop it by hand\n',
    );
    expect(control.calls).toEqual([['heal.plan', 'web']]);
    expect(await upkeep('heal', 'web', '--dry-run', '--json')).toBe(0);
    expect(io.stdout).toContain('"risk": "high"');
  });

  test('2: nobody can be asked, and nothing is done', async () => {
    expect(await upkeep('heal', 'web')).toBe(2);
    expect(io.stderr).toContain('--yes');
    expect(await upkeep('heal', 'web', '--json')).toBe(2);
    expect(await upkeep('heal', 'web', '--yes', '--dry-run')).toBe(2);
    expect(control.calls.filter(([call]) => call === 'heal.apply')).toEqual([]);
  });

  test('asks, and does what was shown only where the answer is yes', async () => {
    io.answer = 'n';
    expect(await upkeep('heal', 'web')).toBe(1);
    expect(io.asked).toEqual(['Heal web? [y/N] ']);
    expect(io.stderr).toBe('nothing was done\n');
    expect(control.calls).toEqual([['heal.plan', 'web']]);
    io.answer = ' Yes';
    expect(await upkeep('heal', 'web')).toBe(0);
    expect(control.calls.at(-1)).toEqual(applied);
    expect(io.stdout).toContain('healed: web is well: main is running\n');
  });

  test('tells what happens while it is done', async () => {
    const { apply } = control.heal;
    control.heal.apply = async (...call) => {
      control.happen(fakeEvent(11, { code: 'HEAL_APPLIED', message: 'begun' }));
      control.happen(fakeEvent(12, { service: 'api', message: 'another' }));
      control.happen(fakeEvent(13, { code: 'HEALED', message: 'done' }));
      return apply(...call);
    };
    expect(await upkeep('heal', 'web', '--yes')).toBe(0);
    expect(io.stdout.split('\n').filter((line) => /HEAL/.test(line))).toEqual([
      expect.stringMatching(/HEAL_APPLIED {2}begun$/),
      expect.stringMatching(/HEALED {2}done$/),
    ]);
    expect(io.stdout).not.toContain('another');
  });

  test('1: it has not helped', async () => {
    const verification = { ...fakeHealResult('web').verification, well: false, message: 'main is retrying' };
    control.healResult = fakeHealResult('web', { outcome: 'not_healed', verification });
    expect(await upkeep('heal', 'web', '--yes')).toBe(1);
    expect(io.stderr).toBe('upkeep: web is not healed: main is retrying\n');
    expect(await upkeep('heal', 'web', '--yes', '--json')).toBe(1);
    expect(io.stdout).toContain('"outcome": "not_healed"');
  });

  test('1: the facts have changed since the plan was shown', async () => {
    control.healFailure = new HealRefused('facts_changed', 'has changed', [
      { name: 'main.state', before: 'failed', after: 'running' },
    ]);
    expect(await upkeep('heal', 'web', '--yes')).toBe(1);
    expect(io.stderr).toContain('\n  plan_id.facts.main.state was: failed, and is now: running\n');
    io.stderr = '';
    expect(await upkeep('heal', 'web', '--yes', '--json')).toBe(1);
    expect(JSON.parse(io.stderr)).toMatchObject({
      exit_code: 1,
      problem: {
        code: 'conflict',
        issues: [{ path: 'plan_id.facts.main.state', message: 'was: failed', value: 'running' }],
      },
    });
  });

  test('asks nobody where there is nothing to do', async () => {
    control.healPlan = fakePlan('web', { steps: [], risk: 'none', summary: 'web is well: nothing to do' });
    control.healResult = fakeHealResult('web', { outcome: 'nothing_to_do' });
    expect(await upkeep('heal', 'web')).toBe(0);
    expect(io.asked).toEqual([]);
    expect(io.stdout).toBe('web is well: nothing to do\nnothing_to_do: web is well: main is running\n');
  });
});

describe('why, holders and down', () => {
  test('why tells cause, evidence, log, events and the next step', async () => {
    expect(await upkeep('why', 'web')).toBe(0);
    for (const part of [
      'web is up, wanted up',
      'EXITED (certain): exited with code 3',
      'exit_code: 3',
      '| last words',
      'event 3',
      'next: nothing to do',
    ]) {
      expect(io.stdout).toContain(part);
    }
  });

  test.each([
    [':8080', { kind: 'tcp', address: null, port: 8080 }],
    ['tcp:8080', { kind: 'tcp', address: null, port: 8080 }],
    ['udp:53', { kind: 'udp', address: null, port: 53 }],
    ['/run/a.sock', { kind: 'socket', path: '/run/a.sock' }],
    ['@abstract', { kind: 'socket', path: '@abstract' }],
  ])('holders %s', async (target, claim) => {
    expect(await upkeep('holders', target)).toBe(0);
    expect(control.calls).toEqual([['holders', claim]]);
    expect(io.stdout).toBe(`nobody is seen to hold ${target}\n`);
  });

  test('holders of a relative path are looked for here', async () => {
    await upkeep('holders', './a.sock');
    expect(control.calls).toEqual([['holders', { kind: 'socket', path: join(dir, 'a.sock') }]]);
  });

  test('down waits until upkeep has ended, and says what for', async () => {
    control.waiting = Array.from({ length: 12 }, (_, index) => `s${index}/main is stopping`);
    const ending = upkeep('down');
    await expect
      .poll(() => io.stderr, { timeout: 30_000 })
      .toMatch(/^waiting for\n {2}s0\/main is stopping\n/);
    expect(io.stderr.split('\n').slice(6)).toEqual(['  … and 7 more', '']);
    await server.close(100);
    expect(await ending).toBe(0);
    expect(io.stdout).toBe('upkeep (pid 1234) has ended\n');
  });

  test('up refuses where upkeep runs already', async () => {
    writeFileSync(join(dir, 'upkeep.yaml'), 'services: {}');
    expect(await upkeep('up')).toBe(1);
    expect(io.stderr).toBe(`upkeep: upkeep is already running on ${join(dir, '.upkeep')} (pid 1234)\n`);
  });
});
