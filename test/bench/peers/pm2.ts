import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer } from '../peer.ts';
import type { Bench } from '../support/bench.ts';
import { launch, run } from '../support/commands.ts';

/** pm2 in fork mode, from the folder PM2_DIR (where `npm i pm2` was run) or installed into the bench's own. */
export function pm2(bench: Bench): Peer {
  const dir = process.env['PM2_DIR'] ?? join(bench.root, 'pm2');
  const command = join(dir, 'node_modules/pm2/bin/pm2');
  return {
    name: 'pm2',
    async available() {
      if (existsSync(command)) return null;
      mkdirSync(dir, { recursive: true });
      writeFileSync(join(dir, 'package.json'), '{}');
      const install = [
        'npm',
        'install',
        'pm2',
        '--no-save',
        '--no-audit',
        '--no-fund',
        '--prefix',
        dir,
      ] as const;
      try {
        await run([...install], bench.place('npm'));
        return null;
      } catch {
        return 'npm could not install it';
      }
    },
    async start(services, place) {
      const apps = services.map((service) => ({
        name: service.name,
        script: service.argv[0],
        args: service.argv.slice(1),
        interpreter: 'none',
        exec_mode: 'fork',
        autorestart: true,
        // Else it gives up after 16 deaths within a second each.
        min_uptime: 0,
        max_restarts: 1e9,
        out_file: service.output,
        error_file: service.output,
        merge_logs: true,
      }));
      const list = join(place.dir, 'ecosystem.json');
      writeFileSync(list, JSON.stringify({ apps }));
      const home = join(place.dir, 'home');
      // The command stays until the last of them was started, which no other peer's user waits for.
      const handle = await launch([process.execPath, command, 'start', list], {
        ...place,
        env: { ...place.env, PM2_HOME: home },
      });
      return { ...handle, lister: ['pm2', home, dir] };
    },
  };
}
