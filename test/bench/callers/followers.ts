/**
 * Listens to upkeep's streams, with any number of connections to each, and counts what comes.
 *
 *   node followers.js SOCKET (PATH CONNECTIONS)…
 *
 * It says `ready` when all of them listen, reports when it is told anything on its channel, and ends with it.
 */
import { connect } from 'node:net';
import type { FollowerMessage } from './message.ts';

/** Messages that one connection has had. */
interface Follower {
  messages: number;
}

const say = (message: FollowerMessage): void => void process.send?.(message);
const [socketPath = '', ...pairs] = process.argv.slice(2);

/** Resolves when it listens. */
function follow(path: string, follower: Follower): Promise<void> {
  const socket = connect(socketPath);
  socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n`);
  return new Promise((resolve, reject) => {
    let begin = '';
    let listens = false;
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`upkeep has hung up: ${begin}`)));
    socket.on('data', (piece: Buffer) => {
      const text = piece.toString('latin1');
      if (listens) {
        // A word cut in two is counted one too few; what is asked is whether anything comes at all.
        follower.messages += text.split('data: ').length - 1;
        return;
      }
      begin += text;
      if (!begin.includes(': listening\n\n')) return;
      listens = true;
      resolve();
    });
  });
}

const groups: Follower[][] = [];
for (let at = 0; at < pairs.length; at += 2) {
  const group = Array.from({ length: Number(pairs[at + 1]) }, (): Follower => ({ messages: 0 }));
  groups.push(group);
  await Promise.all(group.map((follower) => follow(pairs[at] ?? '', follower)));
}
process.on('disconnect', () => process.exit());
process.on('message', () =>
  say({
    said: 'report',
    // Infinity is no JSON: of nobody it is 0.
    fewest: groups.map((group) =>
      group.length === 0 ? 0 : Math.min(...group.map(({ messages }) => messages)),
    ),
  }),
);
say({ said: 'ready' });
