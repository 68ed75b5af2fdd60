import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Peer, Place, Service } from '../peer.ts';
import { PACKAGE } from '../support/bench.ts';
import { monotonic } from '../support/clock.ts';
import { run } from '../support/commands.ts';
import { killAll, killSupervisors, MARK } from '../support/processes.ts';

const COMMAND = join(PACKAGE, 'dist/adapters/cli/main.js');

/** Fields of a service file that a measure sets for all actions. */
export interface UpkeepOptions {
  readonly name?: string;
  readonly restart?: Readonly<Record<string, unknown>>;
  readonly logs?: Readonly<Record<string, unknown>>;
  /** Health checks of one service. */
  readonly health?: (service: Service) => readonly unknown[];
  /** Plugins of others, as the service file names them. */
  readonly plugins?: readonly Readonly<Record<string, unknown>>[];
}

/** upkeep, as it was built into `dist`. */
export function upkeep({ name = 'upkeep', health, plugins = [], ...fields }: UpkeepOptions = {}): Peer {
  const serviceFile = (services: readonly Service[], place: Place): unknown => ({
    plugins,
    services: Object.fromEntries(
      services.map((service) => [
        service.name,
        {
          actions: {
            main: {
              process: true,
              run: service.argv,
              env: { [MARK]: `${place.dir}/` },
              tcp_ports: service.port === null ? [] : [`127.0.0.1:${service.port}`],
              sockets: service.socket === null ? [] : [service.socket],
              ...fields,
              ...(health === undefined ? {} : { health: health(service) }),
            },
          },
        },
      ]),
    ),
  });
  return {
    name,
    async available() {
      return existsSync(COMMAND) ? null : 'not built (npm run build)';
    },
    async start(services, place) {
      const file = join(place.dir, 'upkeep.yaml');
      const state = join(place.dir, 'state');
      // JSON is YAML.
      writeFileSync(file, JSON.stringify(serviceFile(services, place)));
      const up = [process.execPath, COMMAND, 'up', '-f', file, '--state', state, '-d'] as const;
      const startedAt = monotonic();
      await run(up, place);
      return {
        startedAt,
        logs: join(state, 'logs'),
        lister: ['upkeep', join(state, 'upkeep.sock')],
        status: () => run([process.execPath, COMMAND, 'status', '--json', '--state', state], place),
        async takeOver() {
          await killSupervisors(place.dir, place.worker);
          await run(up, place);
        },
        async stop() {
          try {
            await run([process.execPath, COMMAND, 'down', '--state', state], place);
          } finally {
            await killAll(place.dir, place.worker);
          }
        },
      };
    },
  };
}
