/**
 * Signals, lines of logs, searching them, and the commands about the service file, with a real upkeep.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ClientError } from '../../adapters/client/errors.ts';
import { pidOf, run, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox({});
});
afterEach(() => sandbox.remove());

/** Says which signals it gets. */
const LISTENER = `for s in HUP USR1 USR2 WINCH; do trap "echo got $s" $s; done; echo ready; while :; do sleep 0.05; done`;

const service = (command: string | string[], extra: object = {}): object => ({
  actions: { main: { process: true, run: command, stop: { timeout: '1s' }, ...extra } },
});

async function upWith(services: object, ...names: string[]): Promise<void> {
  sandbox.write(services);
  await sandbox.up();
  for (const name of names) await sandbox.untilAction(name, ({ phase }) => phase === 'running');
}

async function jobOf(name: string): Promise<string> {
  return (await sandbox.action(name)).job_id ?? '';
}

async function problemOf(call: Promise<unknown>) {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ClientError);
  return (error as ClientError).problem;
}

/** The state letter of a process. */
function stateOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);
}

describe('signals', () => {
  it('reach the main process, and are recorded with who sent them', async () => {
    await upWith({ web: service(LISTENER) }, 'web');
    await until(async () => (await sandbox.log('web')).includes('ready'));
    const id = await jobOf('web');
    const { pid } = await sandbox.action('web');
    const answer = await sandbox.client.call('job.signal', { id, signal: 'SIGHUP' });
    expect(answer).toMatchObject({ job_id: id, signal: 'SIGHUP', process: { pid } });
    await until(async () => (await sandbox.log('web')).includes('got HUP'));
    const ran = await sandbox.cli('signal', 'web/main', 'usr1');
    expect(ran).toMatchObject({ code: 0, stdout: `SIGUSR1 was sent to web/main (pid ${pid})\n` });
    await until(async () => (await sandbox.log('web')).includes('got USR1'));
    const told = (await sandbox.events('web')).filter(({ message }) => message.includes('was sent to pid'));
    expect(told.map(({ actor, code, evidence }) => [actor, code, evidence['signal']])).toEqual([
      ['http', 'REQUESTED', 'SIGHUP'],
      ['cli', 'REQUESTED', 'SIGUSR1'],
    ]);
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 0, pid });
  });

  it('that end it are an ordinary death, caused by who asked', async () => {
    await upWith({ web: service(['sleep', '1000']) }, 'web');
    const id = await jobOf('web');
    await sandbox.client.call('job.signal', { id, signal: 'SIGKILL' });
    await sandbox.untilAction(
      'web',
      ({ restart_count, phase }) => restart_count === 1 && phase === 'running',
    );
    const events = await sandbox.events('web');
    const asked = events.find(({ message }) => message.startsWith('SIGKILL was sent'));
    const death = events.find(({ code, seq }) => code === 'SIGNALED' && seq > (asked?.seq ?? 0));
    expect(death).toMatchObject({ cause: asked?.seq });
  });

  it('can hold it and let it go on', async () => {
    await upWith({ web: service(['sleep', '1000']) }, 'web');
    const id = await jobOf('web');
    const pid = pidOf(await sandbox.action('web'));
    await sandbox.client.call('job.signal', { id, signal: 'SIGSTOP' });
    await until(() => stateOf(pid) === 'T');
    await sandbox.client.call('job.signal', { id, signal: 'SIGCONT' });
    await until(() => stateOf(pid) === 'S');
    expect(await sandbox.action('web')).toMatchObject({ restart_count: 0, pid });
  });

  it('are refused for what does not run, is not there, or is no such signal', async () => {
    await upWith({ web: service(['sleep', '1000']) }, 'web');
    const id = await jobOf('web');
    await sandbox.client.call('service.stop', { name: 'web', wait: true });
    const send = (to: string, signal: string) =>
      problemOf(sandbox.client.call('job.signal', { id: to, signal: signal as 'SIGHUP' }));
    expect((await send(id, 'SIGHUP')).code).toBe('conflict');
    expect((await send('nobody', 'SIGHUP')).code).toBe('not_found');
    for (const signal of ['SIGSEGV', 'HUP', '9', ''])
      expect((await send(id, signal)).code).toBe('invalid_input');
    expect(await sandbox.cli('signal', 'web', 'SEGV')).toMatchObject({ code: 2 });
    expect(await sandbox.cli('signal', 'wbe', 'HUP')).toMatchObject({ code: 3 });
  });
});

describe('lines', () => {
  const counting = (word: string): string =>
    `i=0; while [ $i -lt 250 ]; do echo "${word} $i"; i=$((i+1)); done; printf '\\033[31mred\\033[0m\\n'; exec sleep 1000`;

  it('of a log come in pages with their place, their time and their incarnation', async () => {
    await upWith({ web: service(counting('one')) }, 'web');
    const id = await jobOf('web');
    await until(async () => (await sandbox.log('web')).includes('red'));
    await sandbox.client.call('service.restart', { name: 'web', wait: true });
    await until(async () => (await sandbox.log('web')).split('red').length === 3);
    const items = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: {
        items: readonly { text: string; incarnation: number; time: number | null }[];
        next_cursor: string | null;
      } = await sandbox.client.call('log.read', { id, limit: 200, ...(cursor === '' ? {} : { cursor }) });
      items.push(...page.items);
      cursor = page.next_cursor;
    }
    const words = [...Array.from({ length: 250 }, (_, index) => `one ${index}`), '\u001b[31mred\u001b[0m'];
    expect(items.map(({ text }) => text)).toEqual([...words, ...words]);
    expect(items.map(({ incarnation }) => incarnation)).toEqual([
      ...words.map(() => 0),
      ...words.map(() => 1),
    ]);
    expect(items.every(({ time }) => time !== null && Math.abs(Date.now() - time) < 600_000)).toBe(true);
    const tail = await sandbox.client.call('log.read', { id, tail: 2, incarnation: 0 });
    expect(tail.items.map(({ text }) => text)).toEqual(words.slice(-2));
    expect((await problemOf(sandbox.client.call('log.read', { id, cursor: 'x' }))).code).toBe(
      'invalid_input',
    );
    expect((await problemOf(sandbox.client.call('log.read', { id: 'nobody' }))).code).toBe('not_found');
  });

  it('are found in the logs of all services, or of one, also by the command line', async () => {
    await upWith({ web: service(counting('one')), mail: service(counting('two')) }, 'web', 'mail');
    for (const name of ['web', 'mail']) await until(async () => (await sandbox.log(name)).includes('red'));
    const search = (input: object) =>
      sandbox.client.call('log.search', { query: '/^(one|two) 7$/', ...input });
    const all = await search({});
    expect(all.items.map(({ service: of, text }) => `${of}: ${text}`).sort()).toEqual([
      'mail: two 7',
      'web: one 7',
    ]);
    expect(all).toMatchObject({ complete: true, next_cursor: null });
    expect((await search({ service: 'mail' })).items).toMatchObject([{ service: 'mail', action: 'main' }]);
    expect((await search({ job_id: await jobOf('web') })).items).toMatchObject([{ text: 'one 7' }]);
    expect((await search({ since: Date.now() + 600_000 })).items).toEqual([]);

    const first = await search({ limit: 1 });
    expect(first.complete).toBe(false);
    const second = await search({ limit: 1, cursor: first.next_cursor ?? '' });
    expect([...first.items, ...second.items].map(({ text }) => text).sort()).toEqual(['one 7', 'two 7']);

    for (const query of ['', '/(/', '/a/g/']) {
      const answer = sandbox.client.call('log.search', { query });
      if (query === '/a/g/') expect((await answer).items).toEqual([]);
      else expect((await problemOf(answer)).code).toBe('invalid_input');
    }
    const ran = await sandbox.cli('search', '/^one 24[0-9]$/', 'web', '-n', '3');
    expect(ran.code).toBe(0);
    expect(ran.stdout.split('\n').map((line) => line.replace(/^\S+ /, ''))).toEqual([
      ...[0, 1, 2].map((n) => `web/main#0 one 24${n}`),
      '',
    ]);
    expect(await sandbox.cli('search', 'red', 'nobody')).toMatchObject({ code: 3 });
  });

  it('a regular expression that would take for ever is refused, and services are seen to', async () => {
    await upWith({ web: service(`echo ${'a'.repeat(60)}!; exec sleep 1000`) }, 'web');
    await until(async () => (await sandbox.log('web')).includes('!'));
    expect(await problemOf(sandbox.client.call('log.search', { query: '/^(a+)+$/' }))).toMatchObject({
      code: 'invalid_input',
      issues: [{ path: 'query' }],
    });
    expect(await sandbox.action('web')).toMatchObject({ phase: 'running' });
  });
});

describe('the commands about the service file', () => {
  it('apply tells the change, takes over what is on disk, and another file in its place', async () => {
    await upWith({ web: service(['sleep', '1000']) }, 'web');
    const before = readFileSync(sandbox.file, 'utf8');
    const changed = before.replace('"sleep"', '"/bin/sleep"');
    writeFileSync(sandbox.file, changed);
    const dry = await sandbox.cli('apply', sandbox.file, '--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toBe(
      '~ web/main (is restarted)\n    run[0]: "sleep" → "/bin/sleep"\na dry run: nothing was done\n',
    );
    expect((await sandbox.cli('apply', sandbox.file)).code).toBe(0);
    await sandbox.untilAction('web', ({ restart_count }) => restart_count === 1);

    writeFileSync(
      sandbox.path('other.yaml'),
      'services:\n  mail: { actions: { main: { run: "true" } } } # new\n',
    );
    const answer = await sandbox.json('apply', sandbox.path('other.yaml'));
    expect(answer).toMatchObject({ added: ['mail'], removed: ['web'], applied: true });
    expect(readFileSync(sandbox.file, 'utf8')).toContain('# new');
  });

  it('apply says everything that is wrong, with its place, and changes nothing', async () => {
    await upWith({ web: service(['sleep', '1000']) }, 'web');
    const before = readFileSync(sandbox.file, 'utf8');
    const wrong = sandbox.path('wrong.yaml');
    writeFileSync(wrong, 'services:\n  web:\n    actions: { main: { run: x, tcp_port: 1 } }\n');
    const ran = await sandbox.cli('apply', wrong);
    expect(ran.code).toBe(2);
    expect(ran.stderr).toContain(`${wrong}:3:32 services.web.actions.main.tcp_port: is not known here`);
    const json = await sandbox.cli('apply', wrong, '--json');
    expect(JSON.parse(json.stderr)).toMatchObject({ exit_code: 2, problem: { issues: [{ line: 3 }] } });
    expect(readFileSync(sandbox.file, 'utf8')).toBe(before);
  });

  it('doctor finds nothing that keeps upkeep from working here, with a daemon or without', async () => {
    type Report = { ok: boolean; findings: { check: string; status: string; message: string }[] };
    const alone = await sandbox.json<Report>('doctor');
    expect(alone.findings.filter(({ status }) => status === 'fail')).toEqual([]);
    await upWith({});
    const { ok, findings } = await sandbox.json<Report>('doctor');
    expect(ok).toBe(true);
    expect(findings.map(({ check }) => check)).toEqual(
      expect.arrayContaining([
        'node',
        'processes',
        'probe procfs',
        'limit nofile',
        'state folder',
        'log rotation',
        'socket',
      ]),
    );
    expect(findings.at(-1)?.message).toContain(`(pid ${sandbox.daemon?.pid})`);
    const long = sandbox.path('x'.repeat(120));
    const main = new URL('../../dist/adapters/cli/main.js', import.meta.url).pathname;
    const env = ['-u', 'XDG_RUNTIME_DIR', process.execPath, main, 'doctor', '--state', long];
    const ran = await run('env', env);
    expect(ran.code).toBe(1);
    expect(ran.stdout).toMatch(/^fail {2}socket +.*\n +→ name a shorter folder with --state$/m);
  });
});
