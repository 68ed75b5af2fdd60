/**
 * The demo's stranger: takes a port as soon as it is free, and keeps it until it is stopped or its parent has gone.
 */
import { createServer } from 'node:net';

const port = Number(process.argv[2]);

/** Ms between two tries. */
const RETRY = 5;

function take(): void {
  const server = createServer();
  server.on('error', () => setTimeout(take, RETRY));
  server.listen(port, '127.0.0.1');
}

take();
process.stdin.resume().on('end', () => process.exit(0));
