/**
 * The command line as people use it: at a terminal, with a shell that completes, waiting for what takes its time.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort, type Ran, run, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

const web = { actions: { main: { process: true, run: ['sleep', '1000'], stop: { timeout: '1s' } } } };
const broken = {
  actions: { main: { run: 'echo cannot reach the database; exit 7', restart: { max_attempts: 1 } } },
};

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox({});
});
afterEach(async () => {
  await sandbox.cli('down');
  await sandbox.remove();
});

/** Runs a command of the CLI on a terminal of so many columns; all that the terminal got is in `stdout`. */
async function onTerminal(columns: number, ...argv: string[]): Promise<Ran> {
  const [command = '', ...args] = argv;
  const words = [process.execPath, MAIN, command, '--state', sandbox.state, ...args];
  const line = words.map((word) => `'${word}'`).join(' ');
  return run('script', ['-qec', `stty cols ${columns}; NO_COLOR=1 ${line}`, '/dev/null']);
}

describe('up in the background', () => {
  it('waits until every service is up', async () => {
    sandbox.write({ web, mail: web });
    const ran = await sandbox.cli('up', '-f', sandbox.file, '-d', '--wait');
    expect(ran).toMatchObject({ code: 0, stdout: expect.stringMatching(/\n2 services are up\n$/) });
    expect(await sandbox.service('mail')).toMatchObject({ state: 'up' });
  });

  it('fails with the reason where one does not come up, and upkeep goes on', async () => {
    sandbox.write({ web, broken });
    const ran = await sandbox.cli('up', '-f', sandbox.file, '-d', '--wait');
    expect(ran.code).toBe(1);
    expect(ran.stderr).toMatch(/^upkeep: 1 of 2 services is not up after \d/m);
    expect(ran.stderr).toContain('broken is failed\n  main: GAVE_UP: ');
    expect(ran.stderr).toContain('    | cannot reach the database\n    next: ');
    expect(await sandbox.service('web')).toMatchObject({ state: 'up' });
  });

  it('waits no longer than it is told, and needs -d for that', async () => {
    const port = await freePort();
    const stranger = createServer().listen(port, '127.0.0.1');
    sandbox.write({ held: { actions: { main: { ...web.actions.main, tcp_ports: [`127.0.0.1:${port}`] } } } });
    const ran = await sandbox.cli('up', '-f', sandbox.file, '-d', '--wait', '--timeout', '1s', '--json');
    stranger.close();
    expect(ran.code).toBe(1);
    expect(JSON.parse(ran.stdout)).toMatchObject({ state_dir: sandbox.state });
    expect(JSON.parse(ran.stderr)).toMatchObject({
      exit_code: 1,
      message: expect.stringContaining('PORT_HELD'),
    });
    expect(await sandbox.cli('up', '-f', sandbox.file, '--wait')).toMatchObject({ code: 2 });
  });
});

describe('what is waited for', () => {
  const held = async (): Promise<{ port: number; leave: () => void }> => {
    const port = await freePort();
    const stranger = createServer().listen(port, '127.0.0.1');
    const run = `exec python3 -m http.server --bind 127.0.0.1 ${port}`;
    sandbox.write({ held: { actions: { main: { process: true, run, tcp_ports: [`127.0.0.1:${port}`] } } } });
    await sandbox.up();
    await sandbox.untilAction('held', ({ reason }) => reason?.code === 'PORT_HELD');
    return { port, leave: () => stranger.close() };
  };

  it('is told in place on a terminal, and gone when it is over', async () => {
    const { port, leave } = await held();
    const ran = await onTerminal(100, 'restart', 'held', '--timeout', '1500ms');
    leave();
    expect(ran.code).toBe(1);
    expect(ran.stdout).toContain(
      `\r\u001b[2K… 0s  held is retrying: main waits for its next try: port 127.0.0.1:${port} is held`,
    );
    // When the time is over it may be at its next try.
    const ends = ['retrying', 'starting'].map((at) => `\r\u001b[2Kupkeep: held is ${at} after 1s\r\n`);
    expect(
      ends.some((end) => ran.stdout.includes(end)),
      ran.stdout,
    ).toBe(true);
    // Nothing of it is wider than the terminal.
    for (const line of ran.stdout.split(/\r\n|\r/)) {
      expect([...line.replace('\u001b[2K', '')].length).toBeLessThanOrEqual(100);
    }
  });

  it('is told by lines elsewhere', async () => {
    const { port, leave } = await held();
    const argv = [MAIN, 'restart', 'held', '--state', sandbox.state];
    const waiting = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise((resolve) => waiting.once('close', resolve));
    let stdout = '';
    let stderr = '';
    waiting.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    waiting.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    await until(() => stderr.includes(`port 127.0.0.1:${port} is held`));
    leave();
    expect(await ended).toBe(0);
    expect(stdout).toBe('held is up\n');
    expect(stderr).not.toContain('\r');
  });

  it('by an upkeep in the foreground: how many are up, when they are', async () => {
    sandbox.write({ web, broken });
    await sandbox.up();
    await until(() => sandbox.output.includes('1 of 2 services are up; failed: broken (see: upkeep why)\n'));
    expect(sandbox.output).not.toContain('\u001b[2K');
  });
});

describe('tables on a terminal', () => {
  it.each([60, 80, 200])('fit %i columns, and are whole in a pipe', async (columns) => {
    sandbox.write({ web, broken, 'a-service-with-a-long-name-of-its-own': web });
    await sandbox.up();
    await sandbox.untilAction('broken', ({ phase }) => phase === 'failed');
    for (const argv of [['status'], ['jobs'], ['runs'], ['plugins'], ['audit']]) {
      const { stdout, code } = await onTerminal(columns, ...argv);
      expect(code).toBe(0);
      for (const line of stdout.split('\r\n')) expect([...line].length).toBeLessThanOrEqual(columns);
    }
    const { stdout } = await sandbox.cli('status');
    expect(stdout).toContain('a-service-with-a-long-name-of-its-own/main');
    expect(stdout).not.toContain('…');
  });
});

describe('jobs, runs and one service of the file', () => {
  it('an earlier run and the log of its job are still there', async () => {
    sandbox.write({
      web: { actions: { main: { ...web.actions.main, run: 'echo first; exec sleep 1000' } } },
    });
    await sandbox.up();
    await until(async () => (await sandbox.log('web')) === 'first\n');
    const { job_id } = await sandbox.action('web');
    await sandbox.cli('stop', 'web');
    await sandbox.cli('start', 'web');
    const runs = await sandbox.json<{ items: { id: string; finished_at: number | null }[] }>('runs', 'web');
    expect(runs.items.map(({ finished_at }) => finished_at === null)).toEqual([true, false]);
    const [, before] = runs.items;
    const jobs = await sandbox.json<{ items: { id: string }[] }>('jobs', '--run', before?.id ?? '');
    expect(jobs.items.map(({ id }) => id)).toEqual([job_id]);
    expect(await sandbox.json('jobs', job_id ?? '')).toMatchObject({ id: job_id, run_id: before?.id });
    expect(await sandbox.json('runs', before?.id ?? '')).toEqual(before);
    expect(await sandbox.cli('logs', job_id ?? '')).toMatchObject({ code: 0, stdout: 'first\n' });
    expect((await sandbox.cli('logs', job_id ?? '', '--times')).stdout).toMatch(/^\d{4}-\S+Z #0 first\n$/);
    expect(await sandbox.cli('jobs', '--run', 'rnothing')).toMatchObject({ code: 3 });
  });

  it('set writes a service into the file, remove takes it out, check --daemon looks at it', async () => {
    sandbox.write({ web });
    await sandbox.up();
    writeFileSync(sandbox.path('mail.yaml'), 'actions: { main: { process: true, run: [sleep, "1000"] } }');
    const set = await sandbox.cli('set', 'mail', sandbox.path('mail.yaml'));
    expect(set).toMatchObject({ code: 0, stdout: '+ mail\n  1 unchanged\n' });
    await sandbox.untilAction('mail', ({ phase }) => phase === 'running');
    expect(readFileSync(sandbox.file, 'utf8')).toContain('mail');
    expect(await sandbox.cli('check', sandbox.file, '--daemon')).toMatchObject({ code: 0 });

    writeFileSync(sandbox.path('wrong.yaml'), 'actions: { main: { rum: x } }');
    const wrong = await sandbox.cli('set', 'mail', sandbox.path('wrong.yaml'));
    expect(wrong.code).toBe(2);
    expect(wrong.stderr).toContain("main.rum: is not known here (did you mean 'run'?)");

    expect(await sandbox.cli('remove', 'mial', '--yes')).toMatchObject({
      code: 3,
      stderr: "upkeep: no service 'mial' in the service file; did you mean 'mail'?\n",
    });
    expect(await sandbox.cli('remove', 'mail', '--yes')).toMatchObject({ code: 0 });
    expect(readFileSync(sandbox.file, 'utf8')).not.toContain('mail');
  });
});

describe('completion', () => {
  const needs = (shell: string) => it.skipIf(spawnSync(shell, ['-c', 'true']).error !== undefined);

  /** Puts `upkeep` where a shell finds it. */
  function install(): Record<string, string> {
    const bin = sandbox.path('bin');
    mkdirSync(bin);
    writeFileSync(`${bin}/upkeep`, `#!/bin/sh\nexec '${process.execPath}' '${MAIN}' "$@"\n`);
    chmodSync(`${bin}/upkeep`, 0o755);
    return { ...(process.env as Record<string, string>), PATH: `${bin}:${process.env['PATH']}` };
  }

  needs('bash')('by bash: commands, options, services, actions, jobs, choices and files', async () => {
    const two = { actions: { main: web.actions.main, side: web.actions.main } };
    sandbox.write({ web, shop: two });
    await sandbox.up();
    const { job_id } = await sandbox.action('web');
    const env = { ...install(), UPKEEP_STATE: sandbox.state };
    writeFileSync(sandbox.path('a file.yaml'), '');
    const script = `
      eval "$(upkeep completion bash)"
      complete -p upkeep
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(( $# - 1 )); _upkeep upkeep; printf '%s|' "\${COMPREPLY[@]}"; echo; }
      try upkeep st
      try upkeep status s
      try upkeep restart ''
      try upkeep logs shop/
      try upkeep logs ${job_id?.slice(0, 4)}
      try upkeep logs --fo
      try upkeep token create x --scope o
      try upkeep signal web US
      try upkeep check 'a f'
      try upkeep up --state b
      try upkeep up --recovery = ''
      try upkeep status --state /nowhere ''
      try upkeep nonsense ''`;
    const ran = spawnSync('bash', ['--norc', '-c', script], { env, cwd: sandbox.dir, encoding: 'utf8' });
    expect(ran.stderr).toBe('');
    const [known, ...lines] = ran.stdout.trimEnd().split('\n');
    expect(known).toBe('complete -F _upkeep upkeep');
    const jobs = (await sandbox.client.call('job.list', {})).items.map(({ id }) => id);
    expect(lines.map((line) => line.split('|').slice(0, -1))).toEqual([
      ['start', 'stop', 'status'],
      ['shop', 'shop/main', 'shop/side'],
      ['shop', 'web'],
      ['shop/main', 'shop/side'],
      jobs.filter((id) => id.startsWith(job_id?.slice(0, 4) ?? '')),
      ['--follow'],
      ['operate'],
      ['USR1', 'USR2'],
      ['a file.yaml'],
      ['bin'],
      ['restart'],
      [''],
      [''],
    ]);
  });

  for (const shell of ['zsh', 'fish']) {
    needs(shell)(`the script for ${shell} is one`, async () => {
      const { stdout } = await run(process.execPath, [MAIN, 'completion', shell]);
      writeFileSync(sandbox.path('script'), stdout);
      expect(spawnSync(shell, ['-n', sandbox.path('script')])).toMatchObject({ status: 0 });
    });
  }
});
