/**
 * The ledger: what upkeep has told in all its lives, so that no later life can tell anything else.
 */
import { type Client, createClient } from '../../adapters/client/client.ts';
import { BrokenAnswer, NoDaemon } from '../../adapters/client/errors.ts';
import type { EventRecord } from '../../core/store/records.ts';
import type { JobView } from '../../core/supervisor/control.ts';

const PAGE = 1000;

/** The books of a storm. */
export class Ledger {
  /** Every event, in order, without a gap. */
  readonly events: EventRecord[] = [];
  /** Every job, as it was seen last. */
  readonly jobs = new Map<string, JobView>();
  /** How often upkeep was asked. */
  looks = 0;
  /** In how many of its lives it could be. */
  lives = 0;

  /** Looks again and again for as long as this life of upkeep lasts. */
  async follow(socket: string, alive: () => boolean): Promise<void> {
    const client = createClient(socket);
    const before = this.looks;
    while (alive()) {
      await whileAlive(() => this.look(client));
      await pause(50);
    }
    client.close();
    if (this.looks > before) this.lives += 1;
  }

  /**
   * Takes down what upkeep tells now.
   *
   * @throws where that contradicts what it told earlier.
   */
  async look(client: Client): Promise<void> {
    for (;;) {
      const after = this.events.at(-1)?.seq ?? 0;
      const { items } = await client.call('event.list', { after, limit: PAGE });
      for (const event of items) this.#add(event);
      if (items.length < PAGE) break;
    }
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page: { items: readonly JobView[]; next_cursor: string | null } = await client.call('job.list', {
        limit: PAGE,
        ...(cursor === '' ? {} : { cursor }),
      });
      for (const job of page.items) this.#update(job);
      cursor = page.next_cursor;
    }
    this.looks += 1;
  }

  #add(event: EventRecord): void {
    const last = this.events.at(-1)?.seq ?? event.seq - 1;
    if (event.seq !== last + 1) throw new Error(`event ${event.seq} follows ${last}: one is lost`);
    this.events.push(event);
  }

  #update(job: JobView): void {
    const known = this.jobs.get(job.id);
    if (known !== undefined && job.restart_count < known.restart_count) {
      const fell = `from ${known.restart_count} to ${job.restart_count}`;
      throw new Error(`restart_count of ${job.service}/${job.action} (${job.id}) fell ${fell}`);
    }
    this.jobs.set(job.id, job);
  }
}

/** Does something with an upkeep that may die at any instant. True where it lived to answer. */
export async function whileAlive(ask: () => Promise<unknown>): Promise<boolean> {
  try {
    await ask();
    return true;
  } catch (error) {
    if (error instanceof NoDaemon || error instanceof BrokenAnswer) return false;
    throw error;
  }
}

/** For `ms`. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
