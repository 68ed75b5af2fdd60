/** The floor: the least that a supervisor in Node can do. Its argument is a file with a list of services. */
import { spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import type { Service } from '../peer.ts';

function keepAlive(service: Service): void {
  const [command = '', ...args] = service.argv;
  const output = openSync(service.output, 'a');
  const start = (): void => {
    spawn(command, args, { detached: true, stdio: ['ignore', output, output] }).on('exit', start);
  };
  start();
}

const services: readonly Service[] = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8'));
services.forEach(keepAlive);
