/**
 * A user who stops, starts and restarts a service at any instant, and never forgets what he was told.
 */
import { type Client, createClient } from '../../adapters/client/client.ts';
import { BrokenAnswer, NoDaemon } from '../../adapters/client/errors.ts';
import type { Wanted } from '../../core/job/job.ts';
import { until } from '../support/until.ts';
import { pause, whileAlive } from './ledger.ts';

/** How often a look is repeated before what is wanted counts as torn: a decision may be on its way for some ms. */
const LOOKS = 40;

/** One user of one service. */
export class User {
  readonly service: string;
  acknowledged = 0;
  unacknowledged = 0;
  /** What of the service may be wanted: what was acknowledged last, and what was asked for since without an answer. */
  readonly #wishes = new Set<Wanted>(['up']);
  readonly #random: () => number;
  /** Everything that he saw and that must not be. */
  readonly complaints: string[] = [];

  constructor(service: string, random: () => number) {
    this.service = service;
    this.#random = random;
  }

  /** Gives commands for as long as this life of upkeep lasts. */
  async act(socket: string, alive: () => boolean): Promise<void> {
    const client = createClient(socket);
    await until(async () => !alive() || (await whileAlive(() => this.check(client))));
    while (alive()) {
      await pause(this.#random() * 200);
      await this.#command(client);
    }
    client.close();
  }

  /** Looks whether upkeep wants what it was told, and tells every job so. */
  async check(client: Client): Promise<void> {
    const { service: name } = this;
    const { wanted, run_id } = await client.call('service.get', { name });
    if (!this.#wishes.has(wanted)) {
      this.complaints.push(`${name} is wanted ${wanted} but was told ${[...this.#wishes].join(' or ')}`);
    }
    this.#settle(wanted);
    for (let look = 1; ; look += 1) {
      const { items } = await client.call('job.list', run_id === null ? {} : { service: name, run_id });
      const torn = items.filter((job) => job.wanted !== wanted);
      if (torn.length === 0) return;
      if (look === LOOKS) {
        const jobs = torn.map((job) => `${job.action} (${job.id}, ${job.phase}) ${job.wanted}`);
        this.complaints.push(`${name} is wanted ${wanted}, but its ${jobs.join(', ')}`);
        return;
      }
      await pause(5);
    }
  }

  async #command(client: Client): Promise<void> {
    const verb = this.#random() < 0.4 ? 'stop' : this.#random() < 0.5 ? 'start' : 'restart';
    const wanted = verb === 'stop' ? 'down' : 'up';
    // Until it is acknowledged either may be so.
    const before = [...this.#wishes];
    this.#wishes.add(wanted);
    try {
      await client.call(`service.${verb}`, { name: this.service });
      this.#settle(wanted);
      this.acknowledged += 1;
    } catch (error) {
      // It never got there.
      if (error instanceof NoDaemon) this.#settle(...before);
      else if (error instanceof BrokenAnswer) this.unacknowledged += 1;
      else throw error;
    }
  }

  #settle(...wishes: readonly Wanted[]): void {
    this.#wishes.clear();
    for (const wish of wishes) this.#wishes.add(wish);
  }
}
