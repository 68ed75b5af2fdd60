/**
 * Changing the service file through a running upkeep: the file itself, what follows of it, and what is refused.
 */
import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { ClientError } from '../../adapters/client/errors.ts';
import { Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

const FILE = `# Who changes this file, tells the others.
services:
  web: # asked by everybody
    actions:
      main:
        process: true
        run: [sleep, "1000"]   # does nothing
        env: { EDITION: old } # which one it is
        stop: { timeout: 1s }
  # Nobody knows what this is for.
  mail:
    actions: { main: { process: true, run: [sleep, "1000"], stop: { timeout: 1s } } }
`;

let sandbox: Sandbox;
beforeEach(async () => {
  sandbox = new Sandbox({});
  writeFileSync(sandbox.file, FILE);
  chmodSync(sandbox.file, 0o640);
  await sandbox.up();
  await sandbox.untilAction('web', ({ phase }) => phase === 'running');
  await sandbox.untilAction('mail', ({ phase }) => phase === 'running');
});
afterEach(() => sandbox.remove());

const text = (): string => readFileSync(sandbox.file, 'utf8');

/** The problem that a call is refused with. */
async function problemOf(call: Promise<unknown>) {
  const error = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(ClientError);
  return (error as ClientError).problem;
}

const web = { actions: { main: { process: true, run: ['sleep', '1000'], env: { EDITION: 'new' } } } };

/** What runs as a service's only action, by its variables. */
async function editionOf(name: string): Promise<string | undefined> {
  const { pid } = await sandbox.action(name);
  try {
    return /(?:^|\0)EDITION=([^\0]*)/.exec(readFileSync(`/proc/${pid}/environ`, 'latin1'))?.[1];
  } catch {
    return undefined;
  }
}

describe('spec.check', () => {
  it('tells what is wrong with a text, with its place, as `upkeep check` does', async () => {
    const wrong = FILE.replace('process: true', 'proces: true');
    const { valid, issues } = await sandbox.client.call('spec.check', { spec: wrong });
    writeFileSync(sandbox.path('wrong.yaml'), wrong);
    const checked = await sandbox.cli('status', '--json');
    expect(checked.code).toBe(0);
    expect(valid).toBe(false);
    expect(issues).toMatchObject([
      { path: 'services.web.actions.main.proces', rule: 'unknown_key', line: 6 },
    ]);
    expect(await sandbox.client.call('spec.check', { spec: FILE })).toEqual({
      valid: true,
      issues: [],
      unchecked_plugins: [],
    });
  });

  it('takes an object, and starts no plugin that it names', async () => {
    const started = sandbox.path('started');
    writeFileSync(
      sandbox.path('evil.mjs'),
      `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(started)}, '');`,
    );
    const spec = {
      plugins: [{ path: './evil.mjs' }],
      services: { a: { actions: { main: { process: true, run: 'x', health: [{ type: 'evil' }] } } } },
    };
    expect(await sandbox.client.call('spec.check', { spec })).toEqual({
      valid: true,
      issues: [],
      unchecked_plugins: ['./evil.mjs'],
    });
    const broken = await sandbox.client.call('spec.check', { spec: { services: { a: { actions: {} } } } });
    expect(broken.issues).toMatchObject([{ path: 'services.a.actions', line: null }]);
    expect(readdirSync(sandbox.dir)).not.toContain('started');
  });
});

describe('spec.apply', () => {
  it('a dry run tells the same and changes nothing', async () => {
    const before = lstatSync(sandbox.file, { bigint: true });
    const { pid } = await sandbox.action('web');
    const change = await sandbox.client.call('spec.apply', {
      spec: { services: { web, extra: web } },
      dry_run: true,
    });
    expect(change).toEqual({
      added: ['extra'],
      removed: ['mail'],
      changed: [
        {
          service: 'web',
          action: 'main',
          change: 'changed',
          fields: [
            { path: 'env.EDITION', before: '[redacted]', after: '[redacted]' },
            { path: 'stop.timeout', before: 1000, after: 10_000 },
          ],
          restarts: true,
        },
      ],
      unchanged: [],
      applied: false,
    });
    expect(text()).toBe(FILE);
    expect(lstatSync(sandbox.file, { bigint: true })).toEqual(before);
    expect((await sandbox.action('web')).pid).toBe(pid);
  });

  it('writes text as it is, keeps the mode, and does what follows of it', async () => {
    const spec = `${FILE.replace('EDITION: old', 'EDITION: new').replaceAll('  ', '    ')}# the end\n`;
    const { pid } = await sandbox.action('mail');
    const change = await sandbox.client.call('spec.apply', { spec });
    expect(change).toMatchObject({ changed: [{ service: 'web' }], unchanged: ['mail'], applied: true });
    expect(text()).toBe(spec);
    expect(lstatSync(sandbox.file).mode & 0o777).toBe(0o640);
    expect(readdirSync(sandbox.dir).sort()).toEqual(['state', 'upkeep.yaml']);
    await until(async () => (await editionOf('web')) === 'new');
    expect((await sandbox.action('mail')).pid).toBe(pid);
    const [event] = (await sandbox.client.call('event.list', { after: 0, limit: 1000 })).items.filter(
      ({ code, service }) => code === 'SPEC_CHANGED' && service === null,
    );
    expect(event).toMatchObject({ actor: 'http', evidence: { changed: ['web/main'] } });
  });

  it('keeps the comments where it is given an object', async () => {
    const spec = parse(FILE);
    spec.services.web.actions.main.env.EDITION = 'new';
    await sandbox.client.call('spec.apply', { spec });
    expect(text()).toBe(FILE.replace('EDITION: old', 'EDITION: new'));
    await until(async () => (await editionOf('web')) === 'new');
  });

  it('is refused whole where anything is wrong', async () => {
    const spec = { services: { web, extra: { actions: { main: { run: 'x', tcp_ports: [70_000] } } } } };
    expect(await problemOf(sandbox.client.call('spec.apply', { spec }))).toMatchObject({
      code: 'invalid_input',
      issues: expect.arrayContaining([expect.objectContaining({ rule: 'port', value: '70000' })]),
    });
    expect(text()).toBe(FILE);
    expect(await editionOf('web')).toBe('old');
  });

  it('is refused for what nobody could read', async () => {
    let deep: unknown = 1;
    for (let level = 0; level < 3000; level++) deep = { a: deep };
    for (const spec of ['services: {', ': : :', '[]', '&a [*a]', { services: deep as object }]) {
      expect((await problemOf(sandbox.client.call('spec.apply', { spec }))).code).toBe('invalid_input');
    }
    expect(text()).toBe(FILE);
  });

  it('is refused while somebody is editing the file, until it was read again', async () => {
    const edited = FILE.replace('# Who changes', '# Whoever changes');
    writeFileSync(sandbox.file, edited);
    const call = () => sandbox.client.call('service.put', { name: 'web', spec: web });
    expect(await problemOf(call())).toMatchObject({ code: 'conflict', status: 409 });
    expect(text()).toBe(edited);
    sandbox.daemon?.kill('SIGHUP');
    await until(() => sandbox.output.includes('was read again'));
    await call();
    expect(text()).toContain('# Whoever changes');
    await until(async () => (await editionOf('web')) === 'new');
  });

  const moveAndLink = (): void => {
    renameSync(sandbox.file, sandbox.path('real'));
    symlinkSync('real', sandbox.file);
  };

  it.each([
    ['a symbolic link', moveAndLink],
    ['a file with two names', () => linkSync(sandbox.file, sandbox.path('other'))],
    ['a file that is gone', () => renameSync(sandbox.file, sandbox.path('gone'))],
  ])('leaves %s alone', async (_, prepare) => {
    prepare();
    const before = readdirSync(sandbox.dir).sort();
    const spec = { services: { web } };
    for (const dry_run of [true, false]) {
      expect((await problemOf(sandbox.client.call('spec.apply', { spec, dry_run }))).code).toBe('conflict');
    }
    expect(readdirSync(sandbox.dir).sort()).toEqual(before);
    expect(await editionOf('web')).toBe('old');
  });

  it('does one after the other where many come at once', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `s${index}`);
    const spec = { actions: { main: { run: 'true' } } };
    await Promise.all(names.map((name) => sandbox.client.call('service.put', { name, spec })));
    expect(Object.keys(parse(text()).services)).toEqual(expect.arrayContaining(names));
    expect(text().startsWith(FILE)).toBe(true);
  });
});

describe('service.put and service.delete', () => {
  it('put adds a service behind the others, and starts it', async () => {
    const change = await sandbox.client.call('service.put', { name: 'extra', spec: web });
    expect(change).toMatchObject({
      added: ['extra'],
      changed: [],
      unchanged: ['mail', 'web'],
      applied: true,
    });
    expect(text().startsWith(FILE)).toBe(true);
    await sandbox.untilAction('extra', ({ phase }) => phase === 'running');
    expect(await sandbox.client.call('service.put', { name: 'extra', spec: web })).toMatchObject({
      added: [],
      unchanged: ['extra', 'mail', 'web'],
    });
  });

  it('put refuses a service that is none, and a name that cannot be one', async () => {
    const put = (name: string, spec: object) =>
      sandbox.client.call('service.put', { name, spec: { ...spec } });
    expect(await problemOf(put('extra', { actions: {} }))).toMatchObject({
      code: 'invalid_input',
      issues: [{ path: 'services.extra.actions' }],
    });
    for (const name of ['a/b', '__proto__', 'plugin:x', ' ', '..x']) {
      expect((await problemOf(put(name, web))).code, name).toBe('invalid_input');
    }
    expect(text()).toBe(FILE);
  });

  it('delete takes it out with what is said of it, stops what it runs, and keeps its history', async () => {
    const { job_id, pid } = await sandbox.action('mail');
    const dry = await sandbox.client.call('service.delete', { name: 'mail', dry_run: true });
    expect(dry).toMatchObject({ removed: ['mail'], applied: false });
    expect(text()).toBe(FILE);

    const change = await sandbox.client.call('service.delete', { name: 'mail' });
    expect(change).toEqual({ added: [], removed: ['mail'], changed: [], unchanged: ['web'], applied: true });
    expect(text()).toBe(FILE.slice(0, FILE.indexOf('  # Nobody')));
    await until(async () => {
      const { items } = await sandbox.client.call('service.list', {});
      return items.every(({ name }) => name !== 'mail');
    });
    expect(sandbox.marked().map((process) => process.pid)).not.toContain(pid);
    expect((await sandbox.events('mail')).at(-1)).toMatchObject({ to: 'stopped', actor: 'core' });
    expect(existsSync(sandbox.path('state', 'logs', 'mail', 'main', job_id ?? '', 'current.log'))).toBe(true);
  });

  it('delete says what was meant where there is no such service', async () => {
    expect(await problemOf(sandbox.client.call('service.delete', { name: 'mial' }))).toMatchObject({
      code: 'not_found',
      suggestion: 'mail',
    });
  });
});
