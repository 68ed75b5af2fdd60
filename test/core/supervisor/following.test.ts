/**
 * Following events through HTTP's own streams, next to restarts on a machine in memory.
 */
import { expect, it } from 'vitest';
import { createApp } from '../../../adapters/http/app.ts';
import { OpenStreams } from '../../../adapters/http/stream_body.ts';
import type { Host } from '../../../core/host/host.ts';
import type { EventRecord } from '../../../core/store/records.ts';
import type { Supervisor } from '../../../core/supervisor/supervisor.ts';
import { StillWorld } from './still_world.ts';

/** Events that were written to one follower. */
interface Following {
  readonly events: EventRecord[];
  readonly ended: Promise<void>;
}

const seqs = (events: readonly EventRecord[]): number[] => events.map(({ seq }) => seq);

/** Writes down when something is spawned, and what followers are written. */
class World extends StillWorld {
  readonly story: string[] = [];
  readonly streams = new OpenStreams();

  override get host(): Host {
    const { host } = this.machine;
    return {
      ...host,
      spawner: {
        ...host.spawner,
        spawn: (request) => {
          this.story.push('spawned');
          return this.spawn(request);
        },
      },
    };
  }

  /** The machine's own time goes on, upkeep's does not: whatever it takes, no timer but the next turn's comes. */
  async frozen(is: () => boolean): Promise<void> {
    while (!is()) {
      this.machine.clock.advance(0);
      await this.machine.settle();
    }
  }

  async follow(upkeep: Supervisor, headers: Record<string, string> = {}): Promise<Following> {
    const { streams } = this;
    const { clock } = this.machine;
    const app = createApp(upkeep, { clock, streams, report: () => {} });
    const { body } = await app.request('/v1/events/stream', { headers });
    const events: EventRecord[] = [];
    const read = async (): Promise<void> => {
      const decoder = new TextDecoder();
      for await (const chunk of body ?? []) {
        const text = decoder.decode(chunk);
        const data = [...text.matchAll(/^data: (.*)$/gm)].map(([, json = '']) => json);
        for (const json of data) events.push(JSON.parse(json) as EventRecord);
        if (data.length > 0) this.story.push('written');
      }
    };
    const ended = read();
    await this.machine.settle();
    return { events, ended };
  }
}

it('is told of a restart after the spawn, of all of it together', async () => {
  const world = new World();
  const upkeep = await world.start();
  await world.machine.pass(200);
  const [one, other] = [await world.follow(upkeep), await world.follow(upkeep)];
  world.story.length = 0;

  world.crash();
  await world.frozen(() => world.main === 1001 && upkeep.service('web').state === 'up');
  expect(world.story).toEqual(['spawned']);
  // What is no follower has it at once.
  const [exited] = upkeep.events({ limit: 10 }).filter(({ code }) => code === 'EXITED');
  expect(exited).toBeDefined();

  await world.machine.pass(150);
  expect(world.story).toEqual(['spawned', 'written', 'written']);
  expect(seqs(one.events)).toEqual(seqs(upkeep.events({ after: (exited?.seq ?? 0) - 1 })));
  expect(other.events).toEqual(one.events);
  await world.stop(upkeep);
});

it('is told everything from where it left off, what was committed a moment ago too, and nothing twice', async () => {
  const world = new World();
  const upkeep = await world.start();
  await world.machine.pass(200);
  const first = await world.follow(upkeep);
  world.crash();
  await world.frozen(() => world.main === 1001);
  // The first one is still to be told what this one reads from the store.
  const { events } = await world.follow(upkeep, { 'last-event-id': '1' });
  expect(seqs(events)).toEqual(seqs(upkeep.events({ after: 1 })));
  expect(first.events).toEqual([]);
  await world.machine.pass(5);
  world.crash();
  await world.frozen(() => world.main === 1002);
  await world.machine.pass(200);
  expect(seqs(events)).toEqual(seqs(upkeep.events({ after: 1 })));
  expect(seqs(events).slice(-first.events.length)).toEqual(seqs(first.events));
  expect(first.events.at(-1)?.seq).toBe(events.at(-1)?.seq);
  await world.stop(upkeep);
});

it('has what was committed by the time that upkeep ends', async () => {
  const world = new World();
  const upkeep = await world.start();
  await world.machine.pass(200);
  const { events, ended } = await world.follow(upkeep, { 'last-event-id': '0' });
  // As upkeep does: its servers end with it.
  void upkeep.stopped.then(() => world.streams.close());
  await world.stop(upkeep);
  await ended;
  expect(events.at(-1)?.to).toBe('stopped');

  const next = await world.start();
  const begin = next.events({}).findLast(({ message }) => message === 'upkeep has started')?.seq ?? 0;
  expect(seqs(events)).toEqual(seqs(next.events({})).filter((seq) => seq < begin));
  await world.stop(next);
});
