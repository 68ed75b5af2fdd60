/**
 * The demo's service: a small web server with every bad habit that a service can have.
 *
 * It listens on `PORT` and on the socket `SOCKET`. `POST /crash` makes it exit with code 3, `POST /die` kills it so
 * that its socket is left behind, and `POST /leave` makes it let go of its port some time before it ends.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';

const port = Number(process.env['PORT']);
const socket = String(process.env['SOCKET']);

/** Ms between the port's release and the end. */
const LEAVING = 1500;

const servers = [createServer(answer), createServer(answer)];
servers[0]?.listen(port, '127.0.0.1');
servers[1]?.listen(socket);
console.log(`web (pid ${process.pid}) listens on 127.0.0.1:${port} and ${socket}`);

process.on('SIGTERM', () => {
  console.log('web was asked to stop');
  process.exit(0);
});

const HABITS: Readonly<Record<string, () => void>> = {
  '/crash': () => {
    console.log('web crashes');
    process.exit(3);
  },
  '/die': () => process.kill(process.pid, 'SIGKILL'),
  '/leave': () => {
    console.log('web lets go of its port');
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
    setTimeout(() => process.exit(0), LEAVING);
  },
};

function answer(request: IncomingMessage, response: ServerResponse): void {
  const habit = request.method === 'POST' ? HABITS[request.url ?? ''] : undefined;
  response.setHeader('connection', 'close');
  response.end(habit === undefined ? `hello from pid ${process.pid}\n` : 'as you wish\n', () => habit?.());
}
