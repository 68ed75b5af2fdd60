/**
 * By MCP alone: an agent that has never seen the machine finds the service that is ill, learns the true cause with
 * evidence, sees what healing would do, has it done safely, and has proof that it worked, in five calls at most. Real
 * programs, and what really happens to them.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../core/store/records.ts';
import { textOf } from '../adapters/mcp/connected.ts';
import { alive, freePort, pidOf, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { MOST_CALLS, mend, type Report } from './mcp_agent.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));
/** No test outlives it: what happens before is the agent's doing. */
const LONG_PAUSE = { delay: '1h', max_delay: '1h', stable_after: '300ms' };
const NEEDED = ['nginx', 'redis-server', 'nc'].filter((name) => spawnSync('which', [name]).status !== 0);

let sandbox: Sandbox;
let dir: string;
let port: number;
let strangers: ChildProcess[];
let clients: Client[];

beforeEach(async () => {
  sandbox = new Sandbox({});
  dir = sandbox.path('work');
  mkdirSync(dir);
  port = await freePort();
  strangers = [];
  clients = [];
});

afterEach(async () => {
  for (const client of clients) await client.close();
  for (const stranger of strangers) stranger.kill('SIGKILL');
  await sandbox.remove();
});

/** `inner` is what is in its `server`. */
function writeNginxConf(inner = 'location / { return 200 ok; }'): void {
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${dir}/${name};`,
  );
  writeFileSync(
    `${dir}/nginx.conf`,
    `daemon off; pid ${dir}/nginx.pid; error_log stderr; worker_processes 1; user root;
    events { worker_connections 64; }
    http { access_log off; ${temp.join(' ')} server { listen 127.0.0.1:${port}; ${inner} } }`,
  );
}

const nginx = (): string[] => ['nginx', '-p', dir, '-c', `${dir}/nginx.conf`];

const redis = (program = 'redis-server'): string[] => [program, `${dir}/redis.conf`];

function writeRedisConf(...lines: string[]): void {
  const conf = [`port ${port}`, 'bind 127.0.0.1', 'daemonize no', 'save ""', `dir ${dir}`, ...lines];
  writeFileSync(`${dir}/redis.conf`, conf.join('\n'));
}

/** Starts upkeep on `it`, the one that is to become ill, and on another service that has nothing to do with it. */
async function up(run: string | readonly string[], extra: object = {}, ...args: string[]): Promise<void> {
  const action = { process: true, run, cwd: dir, stop: { timeout: '2s' }, restart: LONG_PAUSE };
  const main = { ...action, tcp_ports: [`127.0.0.1:${port}`], ...extra };
  sandbox.write({
    bystander: { actions: { main: { process: true, run: 'exec sleep 1000' } } },
    it: { actions: { main } },
  });
  await sandbox.up({}, ...args);
}

/** A process of somebody else's. */
function stranger(file: string, ...args: string[]): number {
  const child = spawn(file, args, { stdio: 'ignore' });
  strangers.push(child);
  return pidOf({ pid: child.pid ?? null });
}

/** A stranger that listens at the port. */
async function holdPort(): Promise<number> {
  const pid = stranger('nc', '-l', '127.0.0.1', String(port));
  const local = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  await until(() => readFileSync('/proc/net/tcp', 'latin1').includes(`${local} 00000000:0000 0A`));
  return pid;
}

async function end(pid: number): Promise<void> {
  process.kill(pid, 'SIGKILL');
  await until(() => !alive(pid));
}

async function connect(transport: Transport): Promise<Client> {
  const client = new Client({ name: 'an agent', version: '1' });
  await client.connect(transport);
  clients.push(client);
  return client;
}

/** A real `upkeep mcp`. */
function byStdio(...args: string[]): Promise<Client> {
  const command = [MAIN, 'mcp', '--state', sandbox.state, ...args];
  return connect(new StdioClientTransport({ command: process.execPath, args: command, stderr: 'inherit' }));
}

async function answers(): Promise<string | null> {
  const response = await fetch(`http://127.0.0.1:${port}/`).catch(() => null);
  return response === null ? null : response.text();
}

/** Found, explained, healed, and verified by the answer to the last call; and it is all written down. */
async function expectHealed(
  { calls, tools, left, diagnosis, plan, result }: Report,
  { actor = 'mcp:an_agent', principal = 'unix' } = {},
): Promise<void> {
  expect(tools).toEqual(['list', 'diagnose', 'plan_heal', 'heal']);
  expect(calls.length).toBeLessThanOrEqual(MOST_CALLS);
  expect(left).toBeNull();
  expect(diagnosis?.service).toBe('it');
  expect(result).toMatchObject({ outcome: 'healed', plan_id: plan?.id, verification: { well: true } });
  // What was done is what was shown.
  expect(plan).toMatchObject(result?.plan ?? {});
  expect(calls.at(-1)?.text).toMatch(/^it: healed\. it is well: main is running/);
  expect(await sandbox.service('it')).toMatchObject({ state: 'up', actions: [{ attempt: 0 }] });

  const events = await sandbox.events('it');
  const byCode = (code: string): EventRecord[] => events.filter((event) => event.code === code);
  const [applied, ...others] = byCode('HEAL_APPLIED');
  expect(others).toEqual([]);
  expect(applied).toMatchObject({ actor, evidence: { plan_id: plan?.id, steps: plan?.steps } });
  expect(byCode('HEALED')).toMatchObject([{ actor, cause: applied?.seq }]);
  const audited = await sandbox.client.call('audit.list', {});
  expect(audited.items.filter(({ operation }) => operation === 'service.heal').at(-1)).toMatchObject({
    target: 'it',
    actor,
    principal,
    outcome: 'done',
  });
  // Nobody else was touched.
  expect((await sandbox.action('bystander')).restart_count).toBe(0);
}

/** Found and explained, and nothing done: it may not be, or cannot. */
function expectBlocked({ tools, left, plan, calls }: Report): void {
  expect(tools).toEqual(['list', 'diagnose', 'plan_heal']);
  expect(left).toBeNull();
  expect(plan).toMatchObject({ steps: [], risk: 'none', blocked: [expect.anything()] });
  expect(calls.at(-1)?.text).toContain('report what is blocked');
}

const kinds = ({ plan }: Report): string[] | undefined => plan?.steps.map(({ kind }) => kind);

describe.skipIf(NEEDED.length > 0)(`an agent by MCP alone (needs ${NEEDED.join(', ') || 'nothing'})`, () => {
  it('nginx, whose port a stranger took: the stranger, whom upkeep may stop, is stopped', async () => {
    writeNginxConf();
    const taken = sandbox.path('taken');
    // The port is free when upkeep looks, and taken when nginx binds.
    const script = `until [ -e ${taken} ]; do sleep 0.05; done; exec "$@"`;
    await up(['sh', '-c', script, 'sh', ...nginx()], { kill_other: true });
    await sandbox.untilAction('it', ({ pid }) => pid !== null);
    const nc = await holdPort();
    writeFileSync(taken, '');
    await sandbox.untilAction('it', ({ phase }) => phase === 'retrying');
    expect(alive(nc)).toBe(true);

    const report = await mend(await byStdio());
    const why = report.diagnosis?.actions[0];
    expect(why).toMatchObject({ code: 'EXITED', evidence: { exit_code: 1 } });
    expect(why?.log_tail.join('\n')).toContain(`bind() to 127.0.0.1:${port} failed`);
    const holder = { pid: nc, command: `nc -l 127.0.0.1 ${port}`, class: 'foreign' };
    expect(why?.evidence['in_the_way']).toMatchObject([{ what: `tcp:127.0.0.1:${port}`, holder }]);
    expect(report.calls[1]?.text).toContain(`is held by pid ${nc} (nc -l 127.0.0.1 ${port})`);
    expect(kinds(report)).toEqual(['stop_process', 'start']);
    expect(report.plan).toMatchObject({ risk: 'high', blocked: [] });
    expect(report.plan?.steps[0]).toMatchObject({
      target: { identity: { pid: nc }, command: holder.command },
      requires: 'kill_other',
    });
    await expectHealed(report);
    expect(alive(nc)).toBe(false);
    const reclaimed = report.result?.events.filter(({ code }) => code === 'RECLAIMED') ?? [];
    expect(reclaimed.map(({ message }) => message).join('\n')).toContain(`pid ${nc} (nc -l`);
    expect(report.result?.verification.actions[0]?.claims).toMatchObject([{ held_by: 'own' }]);
    expect(await answers()).toBe('ok');
  });

  it('nginx, whose port a stranger holds whom upkeep may not stop: who, and what would allow it; nobody is harmed', async () => {
    writeNginxConf();
    const nc = await holdPort();
    await up(nginx());
    await sandbox.untilAction('it', ({ reason }) => reason?.code === 'PORT_HELD');

    const agent = await byStdio();
    const report = await mend(agent);
    expectBlocked(report);
    const holder = { pid: nc, command: `nc -l 127.0.0.1 ${port}`, class: 'foreign' };
    expect(report.diagnosis?.actions[0]).toMatchObject({ code: 'PORT_HELD', evidence: { holder } });
    expect(report.plan?.blocked[0]).toMatchObject({ reason: { code: 'PORT_HELD', evidence: { holder } } });
    expect(report.calls.at(-1)?.text).toContain('would be allowed by: `kill_other: true`');
    expect(alive(nc)).toBe(true);
    expect((await sandbox.events('it')).map(({ code }) => code)).not.toContain('HEAL_APPLIED');

    await end(nc);
    await sandbox.untilAction('it', ({ phase }) => phase === 'running');
    const again = await mend(agent);
    expect([again.tools, again.left]).toEqual([['list'], null]);
    expect(await answers()).toBe('ok');
  });

  it('redis, whose PID file names a stranger: the file goes, the stranger stays', async () => {
    const pid_file = sandbox.path('it.pid');
    await up(redis(), { pid_file, singleton: true });
    await sandbox.untilAction('it', ({ phase }) => phase === 'retrying');
    writeRedisConf();
    const sleeper = stranger('sleep', '1000');
    writeFileSync(pid_file, `${sleeper}\n`);

    const report = await mend(await byStdio());
    const why = report.diagnosis?.actions[0];
    expect(why?.code).toBe('EXITED');
    expect(why?.log_tail.join('\n')).toContain("can't open config file");
    expect(why?.evidence['in_the_way']).toMatchObject([
      { what: 'pid_file', holder: { pid: sleeper, command: 'sleep 1000', class: 'foreign' } },
    ]);
    expect(kinds(report)).toEqual(['remove_pid_file', 'start']);
    expect(report.plan?.risk).toBe('low');
    await expectHealed(report);
    expect(report.result?.events.map(({ code }) => code)).toContain('PIDFILE_REUSED');
    expect(alive(sleeper)).toBe(true);
  });

  it('redis, which is not installed: said so; once it is, it is started at once', async () => {
    writeRedisConf();
    const program = sandbox.path('redis-server');
    await up(redis(program));
    await sandbox.untilAction('it', ({ phase }) => phase === 'retrying');
    const agent = await byStdio();
    const report = await mend(agent);
    expectBlocked(report);
    expect(report.diagnosis?.actions[0]).toMatchObject({ code: 'COMMAND_NOT_FOUND' });
    expect(report.diagnosis?.summary).toContain(program);
    expect(report.plan?.blocked[0]?.instead[0]).toContain('install the program');

    symlinkSync(spawnSync('which', ['redis-server'], { encoding: 'utf8' }).stdout.trim(), program);
    const healed = await mend(agent);
    expect(healed.diagnosis?.summary).toContain('nothing of that is in its way any more');
    expect(kinds(healed)).toEqual(['start']);
    await expectHealed(healed);
  });

  it('nginx, which lives and answers 500: its check says so, and it is started afresh', async () => {
    const sick = `${dir}/sick`;
    writeNginxConf(`location / { if (-f ${sick}) { return 500 sick; } return 200 ok; }`);
    const check = { type: 'http', url: `http://127.0.0.1:${port}/`, timeout: '10s', interval: '100ms' };
    const health = [{ ...check, failures: 2, on_failure: 'report' }];
    await up(['sh', '-c', `rm -f ${sick}; exec "$@"`, 'sh', ...nginx()], { health });
    await sandbox.untilAction('it', (action) => action.health === 'healthy');
    const before = await sandbox.action('it');
    writeFileSync(sick, '');
    await sandbox.untilAction('it', (action) => action.health === 'unhealthy');

    const report = await mend(await byStdio());
    const why = report.diagnosis?.actions[0];
    expect(why).toMatchObject({
      code: 'UNHEALTHY',
      phase: 'running',
      evidence: { identity: { pid: before.pid } },
    });
    expect(why?.message).toContain('500');
    expect(kinds(report)).toEqual(['stop_job', 'start']);
    expect(report.plan).toMatchObject({
      risk: 'medium',
      steps: [{ target: { identity: { pid: before.pid } } }, {}],
    });
    await expectHealed(report);
    expect(report.result?.verification.actions[0]).toMatchObject({ health: 'healthy' });
    expect(alive(pidOf(before))).toBe(false);
    expect(await sandbox.action('it')).toMatchObject({ job_id: before.job_id, restart_count: 1 });
    expect(await answers()).toBe('ok');
  });

  it('redis, which crashes again and again: not called healed while it does, and healed once the cause is gone', async () => {
    writeRedisConf('no-such-directive yes');
    await up(redis(), { restart: { ...LONG_PAUSE, delay: '1s', factor: 1000 } });
    await sandbox.untilAction('it', ({ phase, attempt }) => phase === 'retrying' && attempt === 2);
    const agent = await byStdio();
    const tried = await mend(agent);
    expect(tried.tools).toEqual(['list', 'diagnose', 'plan_heal', 'heal', 'diagnose']);
    expect(tried.diagnosis?.actions[0]).toMatchObject({ code: 'EXITED', evidence: { exit_code: 1 } });
    expect(tried.diagnosis?.actions[0]?.log_tail.join('\n')).toContain('no-such-directive');
    expect(tried.result).toMatchObject({ outcome: 'not_healed', verification: { well: false } });
    expect(tried.calls[3]?.text).toContain('exited with code 1');

    expect((await sandbox.events('it')).map(({ code }) => code)).toContain('NOT_HEALED');
    // It was tried anew, with its failed tries forgotten, and so it has had another short pause.
    await sandbox.untilAction('it', ({ phase, attempt }) => phase === 'retrying' && attempt === 2);
    writeRedisConf();
    const healed = await mend(agent);
    expect(kinds(healed)).toEqual(['start']);
    expect(healed.tools).toEqual(['list', 'diagnose', 'plan_heal', 'heal']);
    expect(healed.result).toMatchObject({ outcome: 'healed', verification: { well: true } });
    expect(await sandbox.service('it')).toMatchObject({ state: 'up', actions: [{ attempt: 0 }] });
  });

  it('nginx, which upkeep has given up: over HTTP with a token', async () => {
    writeFileSync(`${dir}/nginx.conf`, 'nonsense;');
    const listen = await freePort();
    const restart = { delay: '10ms', max_attempts: 2, stable_after: '300ms' };
    await up(nginx(), { restart }, '--listen', String(listen));
    await sandbox.untilAction('it', ({ phase }) => phase === 'failed');
    await until(() => sandbox.output.includes('upkeep is at http'));
    writeNginxConf();

    const { secret } = await sandbox.client.token.create({ name: 'night', scope: 'operate' });
    const headers = { authorization: `Bearer ${secret}`, 'user-agent': 'night-watch/1' };
    const url = new URL(`http://127.0.0.1:${listen}/mcp`);
    const transport = new StreamableHTTPClientTransport(url, { requestInit: { headers } });
    // Their optional fields do not say undefined.
    const report = await mend(await connect(transport as unknown as Transport));
    const why = report.diagnosis?.actions[0];
    expect(why).toMatchObject({ code: 'GAVE_UP', phase: 'failed' });
    expect(why?.log_tail.join('\n')).toContain('unknown directive "nonsense"');
    expect(kinds(report)).toEqual(['start']);
    await expectHealed(report, { actor: 'mcp:night-watch', principal: 'night' });
    expect(await answers()).toBe('ok');
  });

  it('where it may only read: it finds, explains and plans, and says that it would heal', async () => {
    await up(redis());
    await sandbox.untilAction('it', ({ phase }) => phase === 'retrying');
    const report = await mend(await byStdio('--read-only'));
    expect(report.tools).toEqual(['list', 'diagnose', 'plan_heal']);
    expect(kinds(report)).toEqual(['start']);
    expect(report.left).toBeNull();
    expect(report.calls.at(-1)?.text).toContain(
      'Next: heal would follow, which is more than you may do here',
    );
    expect((await sandbox.action('it')).phase).toBe('retrying');
  });

  it('a plan whose facts have changed, or that is not known any more, is refused: it is told to plan again', async () => {
    await up(redis());
    await sandbox.untilAction('it', ({ phase }) => phase === 'retrying');
    const agent = await byStdio();
    const { plan } = await mend(await byStdio('--read-only'));
    const nc = await holdPort();
    for (const [plan_id, because] of [
      [plan?.id, `in the way at tcp:127.0.0.1:${port} was: free, and is: held by pid ${nc}`],
      ['h0', "no heal plan 'h0'"],
    ] as const) {
      const refused = await agent.callTool({ name: 'heal', arguments: { name: 'it', plan_id } });
      expect(refused.isError).toBe(true);
      expect(textOf(refused)).toContain(because);
      expect(textOf(refused).split('\n').at(-1)).toBe('Next: call plan_heal with {"name":"it"}.');
    }
    expect(alive(nc)).toBe(true);
    await end(nc);
    writeRedisConf();
    await expectHealed(await mend(agent));
  });
});
