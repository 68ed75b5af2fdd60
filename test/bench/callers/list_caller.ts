/**
 * Asks a supervisor for all its services, again and again over one connection, as soon as the last answer is there.
 *
 *   node list_caller.js SERVICES upkeep SOCKET | supervisord SOCKET | pm2 HOME FOLDER
 *
 * It is told `go` and `halt` on its channel and ends with it. upkeep and supervisord are asked with as little of HTTP
 * as that takes, so that what is measured is the server; upkeep's answer is parsed nevertheless, as pm2's own client
 * parses what it gets. supervisord's is not.
 */
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { monotonic } from '../support/clock.ts';
import type { ListMessage } from './message.ts';

/** Asks once; gives how many services are in the answer. */
type Call = () => Promise<number>;

/** Sends the same request again and again; resolves with the body of the answer. */
async function exchanges(socketPath: string, request: string): Promise<() => Promise<string>> {
  const socket = connect(socketPath);
  await once(socket, 'connect');
  let pieces: Buffer[] = [];
  let size = 0;
  let wanted = Number.POSITIVE_INFINITY;
  let head = 0;
  let answered: (body: string) => void = () => {};
  socket.on('close', () => {
    throw new Error('the supervisor has hung up');
  });
  socket.on('data', (piece: Buffer) => {
    pieces.push(piece);
    size += piece.length;
    if (wanted === Number.POSITIVE_INFINITY) {
      const text = Buffer.concat(pieces).toString('latin1');
      head = text.indexOf('\r\n\r\n') + 4;
      if (head < 4) return;
      if (!text.startsWith('HTTP/1.1 200')) throw new Error(text.slice(0, head));
      wanted = head + Number(/\r\ncontent-length: *(\d+)/i.exec(text)?.[1]);
    }
    if (size < wanted) return;
    const body = Buffer.concat(pieces).toString('utf8', head);
    pieces = [];
    size = 0;
    wanted = Number.POSITIVE_INFINITY;
    answered(body);
  });
  return () => {
    socket.write(request);
    return new Promise((resolve) => {
      answered = resolve;
    });
  };
}

async function upkeepCall(socket: string): Promise<Call> {
  const ask = await exchanges(socket, 'GET /v1/services HTTP/1.1\r\nhost: localhost\r\n\r\n');
  return async () => (JSON.parse(await ask()) as { items: unknown[] }).items.length;
}

async function supervisordCall(socket: string): Promise<Call> {
  const body =
    "<?xml version='1.0'?>\n<methodCall>\n<methodName>supervisor.getAllProcessInfo</methodName>\n<params>\n" +
    '</params>\n</methodCall>\n';
  const head = `POST /RPC2 HTTP/1.1\r\nhost: localhost\r\ncontent-type: text/xml\r\ncontent-length: ${body.length}\r\n\r\n`;
  const ask = await exchanges(socket, head + body);
  return async () => (await ask()).split('<name>pid</name>').length - 1;
}

/** As much of pm2's own client as is used. */
interface Pm2 {
  connect(done: (error: Error | null) => void): void;
  list(done: (error: Error | null, list: unknown[]) => void): void;
}

async function pm2Call(home: string, folder: string): Promise<Call> {
  process.env['PM2_HOME'] = home;
  const client: Pm2 = createRequire(import.meta.url)(join(folder, 'node_modules/pm2'));
  await new Promise<void>((resolve, reject) => {
    client.connect((error) => (error ? reject(error) : resolve()));
  });
  return () =>
    new Promise((resolve, reject) => {
      client.list((error, list) => (error ? reject(error) : resolve(list.length)));
    });
}

function callOf(kind: string | undefined, [where = '', folder = '']: readonly string[]): Promise<Call> {
  if (kind === 'upkeep') return upkeepCall(where);
  if (kind === 'supervisord') return supervisordCall(where);
  return pm2Call(where, folder);
}

const [services, kind, ...where] = process.argv.slice(2);
const call = await callOf(kind, where);
const seen = await call();
if (seen !== Number(services)) throw new Error(`${kind} lists ${seen} services and not ${services}`);

const say = (message: ListMessage): void => void process.send?.(message);
let going = false;
let loop = Promise.resolve();
let times: number[] = [];

async function callOn(): Promise<void> {
  while (going) {
    const begun = monotonic();
    await call();
    times.push(monotonic() - begun);
  }
}

process.on('disconnect', () => process.exit());
process.on('message', (told: 'go' | 'halt') => {
  going = told === 'go';
  if (going) {
    loop = callOn();
    return;
  }
  void loop.then(() => {
    say({ said: 'halted', times });
    times = [];
  });
});
say({ said: 'ready' });
