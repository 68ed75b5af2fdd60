import { createHmac } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as v from 'valibot';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { nodeHost } from '../../core/host/node_host.ts';
import { inProcessNotifier } from '../../core/plugin/notifier.ts';
import { webhookNotifier } from '../../plugins/notify_webhook.ts';
import { anEvent } from '../core/notify/support.ts';

let server: Server;
let url: string;
let answer: { status: number; headers?: Record<string, string> };
let received: {
  method: string | undefined;
  path: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}[];
let dir: string;

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'upkeep-webhook-'));
  received = [];
  answer = { status: 200 };
  server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    received.push({ method: request.method, path: request.url, headers: request.headers, body });
    response.writeHead(answer.status, answer.headers).end('thank you');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?a=1`;
});
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve));
  rmSync(dir, { recursive: true, force: true });
});

const host = nodeHost();

function tell(options: object = {}, now?: number): Promise<void> {
  const clock = now === undefined ? host.clock : { ...host.clock, wall: () => now };
  const notifier = inProcessNotifier(webhookNotifier, { ...host, clock });
  return notifier.notify(
    anEvent(7, { message: 'é' }),
    v.parse(webhookNotifier.options, { url, ...options }),
    new AbortController().signal,
  );
}

function got(index: number): (typeof received)[number] {
  const request = received.at(index);
  if (request === undefined) throw new Error('nothing was received');
  return request;
}

const hmac = (secret: string, text: string) =>
  `sha256=${createHmac('sha256', secret).update(text).digest('hex')}`;

describe('a webhook', () => {
  it('gets the event as JSON', async () => {
    await tell({ headers: { 'X-Who': 'me', 'content-type': 'text/plain' } });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'POST', path: '/hook?a=1' });
    expect(JSON.parse(received[0]?.body ?? '')).toEqual(anEvent(7, { message: 'é' }));
    expect(received[0]?.headers).toMatchObject({
      'x-who': 'me',
      'x-upkeep-event': '7',
      'user-agent': 'upkeep',
    });
    expect(received[0]?.headers['content-type']).toContain('application/json');
    expect(received[0]?.headers).not.toHaveProperty('x-upkeep-signature');
  });

  it('can prove that it is from upkeep, and when it was sent', async () => {
    await tell({ secret: 's3cret' }, 1_767_225_600_999);
    const { headers, body } = got(0);
    expect(headers['x-upkeep-timestamp']).toBe('1767225600');
    expect(headers['x-upkeep-signature']).toBe(hmac('s3cret', `1767225600.${body}`));
  });

  it('reads the secret from a file each time', async () => {
    const secret_file = join(dir, 'secret');
    for (const secret of ['one', 'two ']) {
      writeFileSync(secret_file, `${secret}\n`);
      await tell({ secret: 'not this', secret_file }, 5_000);
      const { headers, body } = got(-1);
      expect(headers['x-upkeep-signature']).toBe(hmac(secret, `5.${body}`));
    }
  });

  it('is not told without the secret that it should have been signed with', async () => {
    const secret_file = join(dir, 'secret');
    await expect(tell({ secret_file })).rejects.toThrow('ENOENT');
    writeFileSync(secret_file, '\n');
    await expect(tell({ secret_file })).rejects.toThrow('the file of the secret is empty');
    chmodSync(secret_file, 0o600);
    expect(received).toEqual([]);
  });

  it.each([200, 201, 204, 299])('has taken it with %i', async (status) => {
    answer = { status };
    await tell();
  });

  it.each([408, 429, 500, 503, 302])('is to be told again after %i', async (status) => {
    answer = { status, headers: { location: '/elsewhere' } };
    await expect(tell()).rejects.toMatchObject({ name: 'Error', message: `answered ${status}` });
    expect(received).toHaveLength(1);
  });

  it.each([400, 401, 404, 410, 422])('is not to be told again after %i', async (status) => {
    answer = { status };
    await expect(tell()).rejects.toMatchObject({ name: 'GiveUp', message: `answered ${status}` });
  });
});

describe('the options of a webhook', () => {
  const parses = (options: object) => v.safeParse(webhookNotifier.options, options).success;

  it('need a URL, and no more', () => {
    expect(v.parse(webhookNotifier.options, { url: 'https://example.com/x' })).toEqual({
      url: 'https://example.com/x',
      headers: {},
    });
  });

  it.each([
    {},
    { url: 'example.com' },
    { url: 'ftp://example.com' },
    { url: 'http://' },
    { url: 'http://x', headers: { 'a b': 'c' } },
    { url: 'http://x', headers: { a: 'b\r\nc: d' } },
    { url: 'http://x', secret: '' },
    { url: 'http://x', secret_file: 'secret' },
    { url: 'http://x', method: 'PUT' },
  ])('are refused: %j', (options) => {
    expect(parses(options)).toBe(false);
  });
});
