/**
 * One real upkeep with a few real services, at its socket and on TCP: what every face is asked about.
 */
import { join } from 'node:path';
import type { Client } from '../../adapters/client/client.ts';
import type { Scope } from '../../core/access/scope.ts';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';

/** What is added, and deleted again. */
export const EXTRA = { actions: { main: { process: true, run: 'exec sleep 1000' } } };

/** A world, as it stands between two calls. */
export interface World {
  readonly box: Sandbox;
  /** Whoever may open the socket. */
  readonly owner: Client;
  readonly socket: string;
  readonly port: number;
  readonly tokens: Readonly<Record<Scope, string>>;
  /** The port that the shop holds. */
  readonly held: number;
  /** The run and the job of the shop. Nothing changes about these. */
  readonly run: string;
  readonly job: string;
  /** The job of a service that is down. */
  readonly idle_job: string;
  /** The services without what is added. */
  readonly services: Readonly<Record<string, object>>;
  /** The job of the service that commands are given to. */
  spareJob(): Promise<string>;
  end(): Promise<void>;
}

/** Starts it: the shop is up, broken has failed, idle is down, spare is there for commands, stubborn does not stop. */
export async function beginWorld(): Promise<World> {
  const held = await freePort();
  const port = await freePort();
  const services = {
    shop: {
      actions: {
        web: {
          process: true,
          run: `echo listening on ${held}; exec nc -lk 127.0.0.1 ${held}`,
          tcp_ports: [held],
        },
      },
    },
    broken: {
      actions: {
        main: {
          process: true,
          run: 'echo cannot begin; exit 3',
          restart: { max_attempts: 1, delay: '10ms' },
        },
      },
    },
    idle: { actions: { main: { process: true, run: 'exec sleep 1000' } } },
    spare: { actions: { main: { process: true, run: "trap '' HUP; echo ready; exec sleep 1000" } } },
    stubborn: {
      actions: {
        main: { process: true, run: "trap '' TERM; echo ready; exec sleep 1000", stop: { timeout: '30s' } },
      },
    },
  };
  const box = new Sandbox(services);
  const owner = box.client;
  await box.up({}, '--listen', String(port));
  await until(() => box.output.includes('upkeep is at http'));
  await owner.service.stop({ name: 'idle', wait: true });
  for (const name of ['shop', 'spare', 'stubborn']) await owner.service.start({ name, wait: true });
  await box.untilAction('broken', ({ phase }) => phase === 'failed');
  for (const name of ['spare', 'stubborn']) await until(async () => (await box.log(name)).includes('ready'));

  const token = async (scope: Scope) => (await owner.token.create({ name: `the-${scope}`, scope })).secret;
  const shop = await box.service('shop');
  const stubborn = known((await box.action('stubborn')).job_id);
  return {
    box,
    owner,
    socket: join(box.state, 'upkeep.sock'),
    port,
    tokens: { read: await token('read'), operate: await token('operate'), admin: await token('admin') },
    held,
    run: known(shop.run_id),
    job: known(shop.actions[0]?.job_id),
    idle_job: known((await box.action('idle')).job_id),
    services,
    spareJob: async () => known((await box.action('spare')).job_id),
    end: async () => {
      // Its time would be waited out.
      for (const { pid, job_id } of box.marked()) if (job_id === stubborn) process.kill(pid, 'SIGKILL');
      await box.remove();
    },
  };
}

function known<T>(value: T | null | undefined): T {
  if (value === null || value === undefined) throw new Error('the world is not as it was made');
  return value;
}
