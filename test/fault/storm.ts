/**
 * The storm: upkeep is killed again and again, at random instants and between any two of its effects, while its
 * services crash and restart and a user gives commands. Afterwards the books must balance.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { freePort, Sandbox } from '../support/sandbox.ts';
import { until } from '../support/until.ts';
import { balance } from './books.ts';
import { Ledger, whileAlive } from './ledger.ts';
import { COMMANDED, StormServices } from './storm_services.ts';
import { User } from './user.ts';

const MAIN = fileURLToPath(new URL('../../dist/adapters/cli/main.js', import.meta.url));

/** What a storm has shown. */
export interface StormReport {
  readonly kills: number;
  /** Kills that a fault point did. The others came from outside, at any instant. */
  readonly at_fault_points: number;
  /** At how many different ones. */
  readonly fault_points: number;
  /** In how many of its lives upkeep could be asked, and how often it was. */
  readonly lives_looked_into: number;
  readonly looks: number;
  readonly commands: number;
  readonly unacknowledged: number;
  /** Starts that the services wrote down. */
  readonly spawns: number;
  /** Numbers that were used up without one, because upkeep died in the middle. */
  readonly interrupted: number;
  /** Incarnations that upkeep stopped before they could write down anything. */
  readonly stopped_unborn: number;
}

/** Pseudo-random numbers that a failing run can be repeated with. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 4_294_967_296;
  };
}

/**
 * Runs a storm of `kills` and checks the books.
 *
 * @param seed of the instants; the services' crashes are random beyond it.
 */
export async function storm(kills: number, seed: number): Promise<StormReport> {
  const random = generator(seed);
  const sandbox = new Sandbox({});
  const services = new StormServices(sandbox);
  sandbox.write(services.file(await freePort()));
  const ledger = new Ledger();
  const users = COMMANDED.map((name, index) => new User(name, generator(seed + 1 + index)));
  const points: string[] = [];
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const death = await oneLife(sandbox, random, (alive) => {
        const socket = sandbox.path('state', 'upkeep.sock');
        return [ledger.follow(socket, alive), ...users.map((user) => user.act(socket, alive))];
      });
      if (death.exit_code !== null) {
        throw new Error(`upkeep ended by itself with ${death.exit_code} at kill ${kill}:\n${death.said}`);
      }
      const point = /^fault point: (.*)$/m.exec(death.said)?.[1];
      if (point !== undefined) points.push(point);
    }

    writeFileSync(services.calm, '');
    await sandbox.up();
    for (const user of users) await user.check(sandbox.client);
    const sums = await balance(sandbox, services, ledger, users);
    return {
      kills,
      at_fault_points: points.length,
      fault_points: new Set(points).size,
      lives_looked_into: ledger.lives,
      looks: ledger.looks,
      commands: users.reduce((sum, user) => sum + user.acknowledged, 0),
      unacknowledged: users.reduce((sum, user) => sum + user.unacknowledged, 0),
      ...sums,
    };
  } finally {
    await sandbox.remove();
    for (const pid of services.escapees()) process.kill(pid, 'SIGKILL');
  }
}

/** How a life ended. */
interface Death {
  /** Null where it was killed. */
  readonly exit_code: number | null;
  /** Everything that it said on stderr. */
  readonly said: string;
}

/**
 * Starts upkeep and kills it: at a fault point, some time after its birth, or some time after its first answer.
 * `meanwhile` is done until then.
 */
async function oneLife(
  sandbox: Sandbox,
  random: () => number,
  meanwhile: (alive: () => boolean) => Promise<void>[],
): Promise<Death> {
  const kind = random();
  const point = kind < 0.5 ? 1 + Math.floor(random() * 150) : null;
  const delay = random() * 500;
  const stderr = sandbox.path('stderr');
  const fd = openSync(stderr, 'w');
  const daemon = spawn(process.execPath, [MAIN, 'up', '-f', sandbox.file, '--state', sandbox.state], {
    stdio: ['ignore', 'ignore', fd],
    env: { ...process.env, ...(point === null ? {} : { UPKEEP_FAULT: `kill@${point}` }) },
  });
  closeSync(fd);
  let alive = true;
  const ended = new Promise<void>((resolve) => daemon.once('exit', () => resolve())).then(() => {
    alive = false;
  });
  const answered = kind < 0.65 && point === null ? Promise.resolve() : firstAnswer(sandbox, () => alive);
  let timer: NodeJS.Timeout | undefined;
  const killing = answered.then(() => {
    // A fault point that is not reached so long after the first answer must not hold up the storm.
    if (alive) timer = setTimeout(() => daemon.kill('SIGKILL'), point === null ? delay : 1_500);
  });
  const doings = Promise.all([killing, ...meanwhile(() => alive)]);
  try {
    // What goes wrong meanwhile ends the storm at once.
    await Promise.race([ended, doings.then(() => ended)]);
    await doings;
  } finally {
    clearTimeout(timer);
    daemon.kill('SIGKILL');
    await ended;
  }
  return { exit_code: daemon.exitCode, said: readFileSync(stderr, 'utf8') };
}

async function firstAnswer(sandbox: Sandbox, alive: () => boolean): Promise<void> {
  await until(async () => !alive() || (await whileAlive(() => sandbox.client.call('health.get', {}))));
}
