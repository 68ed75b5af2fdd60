/**
 * The real upkeep tells real webhooks and programs of what happens to real services.
 */
import { createHmac } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../core/store/records.ts';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

let sandbox: Sandbox;
const servers: Server[] = [];
afterEach(async () => {
  await sandbox.remove();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

/** Fails again and again, as quickly as it may. */
const crashing = {
  actions: {
    main: { process: true, run: 'exit 3', restart: { delay: '100ms', factor: 1, jitter: 0 } },
  },
};

function write(services: object, notify: readonly object[]): void {
  writeFileSync(sandbox.file, JSON.stringify({ services, notify }));
}

/** What a webhook has received, in order. */
interface Received {
  readonly events: EventRecord[];
  readonly signed: boolean[];
}

/** A webhook on a port, which checks signatures by what the documentation says. */
async function webhook(port: number, secret = ''): Promise<Received> {
  const events: EventRecord[] = [];
  const signed: boolean[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    events.push(JSON.parse(body) as EventRecord);
    const timestamp = String(request.headers['x-upkeep-timestamp']);
    const expected = createHmac('sha256', secret).update(`${timestamp}.${body}`).digest('hex');
    const recent = Math.abs(Date.now() / 1000 - Number(timestamp)) < 60;
    signed.push(recent && request.headers['x-upkeep-signature'] === `sha256=${expected}`);
    response.writeHead(204).end();
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return { events, signed };
}

/** The numbers of the events that `upkeep events` has of a code, as far as a number. */
async function numbers(service: string, code: string, last: number): Promise<number[]> {
  return (await sandbox.events(service))
    .filter((event) => event.code === code && event.seq <= last)
    .map(({ seq }) => seq);
}

describe('a service that crashes', () => {
  it('reaches a webhook, signed, with the events as they are', async () => {
    sandbox = new Sandbox({});
    const port = await freePort();
    const received = await webhook(port, 's3cret');
    writeFileSync(sandbox.path('secret'), 's3cret\n');
    const url = `http://127.0.0.1:${port}/hook`;
    write({ shop: crashing, other: crashing }, [
      { type: 'webhook', url, events: ['EXITED'], services: ['shop'], secret_file: sandbox.path('secret') },
    ]);
    await sandbox.up();
    await until(() => received.events.length >= 3);
    const told = [...received.events];
    expect(received.signed.slice(0, told.length).every(Boolean)).toBe(true);
    const stored = await sandbox.events('shop');
    for (const event of told) expect(stored).toContainEqual(event);
    expect(told.map(({ seq }) => seq)).toEqual(await numbers('shop', 'EXITED', told.at(-1)?.seq ?? 0));
    expect(told[0]).toMatchObject({
      service: 'shop',
      action: 'main',
      code: 'EXITED',
      evidence: { exit_code: 3 },
    });
  });

  it('reaches a webhook that was down for a while: what was queued, in order', async () => {
    sandbox = new Sandbox({});
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/T0/s3cret`;
    write({ shop: crashing }, [{ type: 'webhook', url, events: ['EXITED'] }]);
    await sandbox.up();
    // Told once that it cannot be told: by then several wait.
    const complaints = async () =>
      (await sandbox.client.call('event.list', { limit: 1000 })).items.filter(
        ({ code }) => code === 'NOTIFY_DEGRADED',
      );
    await until(async () => (await complaints()).length > 0);
    const [complaint] = await complaints();
    expect(complaint?.message).toMatch(
      /^notify\[0\] \(webhook\): could not tell, and tries again: connect ECONNREFUSED/,
    );
    expect(JSON.stringify(complaint)).not.toContain('s3cret');
    const received = await webhook(port);
    await until(() => received.events.length >= 10);
    const seqs = received.events.map(({ seq }) => seq);
    expect(seqs).toEqual(await numbers('shop', 'EXITED', seqs.at(-1) ?? 0));
    expect((await complaints()).length).toBe(1);
  });

  it('reaches a webhook though upkeep died before it could tell', async () => {
    sandbox = new Sandbox({});
    const port = await freePort();
    const notify = [{ type: 'webhook', url: `http://127.0.0.1:${port}/`, events: ['EXITED', 'READY'] }];
    write({ shop: crashing }, notify);
    await sandbox.up();
    await until(async () => (await sandbox.action('shop')).restart_count >= 3);
    const before = (await sandbox.events('shop'))
      .filter(({ code }) => code === 'EXITED')
      .map(({ seq }) => seq);
    await sandbox.kill();
    const received = await webhook(port);
    await sandbox.up();
    await until(() => received.events.length >= before.length + 3);
    const seqs = received.events.map(({ seq }) => seq);
    expect(seqs).toEqual(await numbers('shop', 'EXITED', seqs.at(-1) ?? 0));
    expect(seqs).toEqual(expect.arrayContaining(before));
  });
});

describe('a service file that is read again', () => {
  it('changes who is told', async () => {
    sandbox = new Sandbox({});
    const [first, second] = [await freePort(), await freePort()];
    const one = await webhook(first);
    const rule = (port: number) => ({
      type: 'webhook',
      url: `http://127.0.0.1:${port}/`,
      events: ['EXITED'],
    });
    write({ shop: crashing }, [rule(first)]);
    await sandbox.up();
    await until(() => one.events.length >= 1);
    const two = await webhook(second);
    write({ shop: crashing }, [rule(second)]);
    sandbox.daemon?.kill('SIGHUP');
    await until(() => two.events.length >= 1);
    const { length } = one.events;
    await until(() => two.events.length >= 4);
    expect(one.events).toHaveLength(length);
    expect(two.events[0]?.seq).toBeGreaterThan(one.events.at(-1)?.seq ?? 0);
    // A file that cannot be used changes nothing.
    write({ shop: crashing }, [{ ...rule(second), events: ['EXITD'] }]);
    sandbox.daemon?.kill('SIGHUP');
    await until(() => sandbox.output.includes("did you mean 'EXITED'?"));
    const told = two.events.length;
    await until(() => two.events.length > told);
  });
});

describe('a program', () => {
  it('is told what a person wants to know, where the file does not say of what', async () => {
    sandbox = new Sandbox({});
    const told = sandbox.path('told');
    write(
      {
        crash: crashing,
        missing: {
          actions: {
            main: { process: true, run: ['no-such-program'], restart: { delay: '1h', max_delay: '1h' } },
          },
        },
      },
      [{ type: 'exec', run: `echo "$UPKEEP_EVENT_SERVICE $UPKEEP_EVENT_CODE" >> ${told}` }],
    );
    await sandbox.up();
    await until(async () => (await sandbox.action('crash')).restart_count >= 3);
    await until(() => existsSync(told) && readFileSync(told, 'utf8').endsWith('\n'));
    expect(readFileSync(told, 'utf8')).toBe('missing COMMAND_NOT_FOUND\n');
  });

  it('that hangs keeps neither a service nor the end of upkeep', async () => {
    sandbox = new Sandbox({});
    const begun = sandbox.path('begun');
    write({ shop: crashing }, [{ type: 'exec', run: `echo $$ > ${begun}; sleep 1000`, events: ['EXITED'] }]);
    await sandbox.up();
    await until(() => existsSync(begun) && readFileSync(begun, 'utf8').endsWith('\n'));
    const { restart_count } = await sandbox.action('shop');
    await sandbox.untilAction('shop', (action) => action.restart_count > restart_count + 3);
    const pid = Number(readFileSync(begun, 'utf8'));
    await sandbox.down();
    await until(() => !existsSync(`/proc/${pid}`));
  });
});
