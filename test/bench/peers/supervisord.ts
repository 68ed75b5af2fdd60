import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import { launch, missing } from '../support/commands.ts';

/**
 * supervisord, in the foreground, and with a control socket only where `control` says so. `minfds` is left alone: every child closes each number
 * up to it, so it would be slower with a higher one. A thousand services need `ulimit -n 4096`.
 *
 * `rotateAt` is the size in bytes at which it rotates an output file; 0: never.
 */
export function supervisord({ name = 'supervisord', rotateAt = 0, control = false } = {}): Peer {
  return {
    name,
    async available() {
      return missing('supervisord');
    },
    async start(services, place) {
      const config = [
        '[supervisord]',
        'nodaemon=true',
        `logfile=${join(place.dir, 'supervisord.txt')}`,
        `pidfile=${join(place.dir, 'supervisord.pid')}`,
      ];
      const socket = join(place.dir, 'sockets/supervisor.sock');
      if (control) {
        config.push(
          '[unix_http_server]',
          `file=${socket}`,
          '[rpcinterface:supervisor]',
          'supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface',
        );
      }
      for (const service of services) {
        config.push(
          `[program:${service.name}]`,
          `command=${service.argv.join(' ')}`,
          'autorestart=true',
          // Counts as started at once, else a death within a second would be a failed start with a growing delay.
          'startsecs=0',
          'redirect_stderr=true',
          `stdout_logfile=${service.output}`,
          `stdout_logfile_maxbytes=${rotateAt}`,
          'stdout_logfile_backups=1000',
        );
      }
      const file = join(place.dir, 'supervisord.conf');
      writeFileSync(file, `${config.join('\n')}\n`);
      const handle = await launch(['supervisord', '-c', file], place);
      return control ? { ...handle, lister: ['supervisord', socket] } : handle;
    },
  };
}
