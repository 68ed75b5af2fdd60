/**
 * What followers cost: the supervisor's memory, and the restarts of a service that they look at.
 *
 * Some follow all events, others the log of a service that writes ten times a second; all are server-sent events over
 * Unix sockets, read by a process of its own. Each round kills the service while nobody follows, and as often
 * while all do. Memory is read before they come, while they are there, and after they have gone.
 *
 * EVENT_FOLLOWERS=100, LOG_FOLLOWERS=100, ROUNDS=3, KILLS=60 (a round, and as many with followers), GAP_MS=100 (before each kill),
 * SETTLE_MS=3000 (until memory is read)
 */
import { join } from 'node:path';
import type { FollowerMessage } from './callers/message.ts';
import type { Handle, Place } from './peer.ts';
import { upkeep } from './peers/upkeep.ts';
import type { Bench } from './support/bench.ts';
import { Caller } from './support/caller.ts';
import { present } from './support/present.ts';
import { executableOf, type Memory, memoryOf, supervisorsOf } from './support/processes.ts';
import { restartTime } from './support/restart_time.ts';
import { setting } from './support/settings.ts';
import { Stamps } from './support/stamps.ts';
import { median, quantile } from './support/statistics.ts';
import { formatTable, megabytes, ms, ratio } from './support/table.ts';

/** How long the services may take to come up, in ms. */
const GIVE_UP = 60_000;
/** The service that is killed, and the one that writes. */
const KILLED = 'a';
const WRITER = 'writer';

/** upkeep with its two services up. */
interface Subject {
  readonly place: Place;
  readonly handle: Handle;
  readonly stamps: Stamps;
  /** upkeep's socket. */
  readonly socket: string;
  /** What is followed: the events, and the writer's log. */
  readonly paths: readonly string[];
}

/** What upkeep was like at one stage of the rounds. */
interface Stage {
  readonly name: string;
  /** One a round. */
  readonly memory: Memory[];
  /** ns, one a kill. */
  readonly times: number[];
}

/** As much of the answer of `upkeep status --json` as is needed here. */
interface Status {
  readonly items: readonly {
    readonly name: string;
    readonly actions: readonly { readonly job_id: string }[];
  }[];
}

async function begin(bench: Bench): Promise<Subject> {
  const peer = upkeep({ restart: { policy: 'always', delay: '0ms', stable_after: '20ms' } });
  const place = bench.place(peer.name);
  const stamps = new Stamps(join(place.dir, 'stamps'));
  const [port = 0] = await bench.freePorts(1);
  const held = join(place.dir, 'sockets/a.sock');
  const output = join(place.dir, 'out/a.log');
  const writes = ['-l', '1000000', '-w', '10', '-i', '100'];
  const handle = await peer.start(
    [
      {
        name: KILLED,
        argv: [bench.worker, KILLED, stamps.path, '-p', `${port}`, '-s', held],
        port,
        socket: held,
        output,
      },
      {
        name: WRITER,
        argv: [bench.worker, WRITER, stamps.path, ...writes],
        port: null,
        socket: null,
        output,
      },
    ],
    place,
  );
  try {
    if (!(await bench.until(() => stamps.read().length >= 2, GIVE_UP))) throw new Error('not all came up');
    const pid = stamps.read().find(({ name }) => name === WRITER)?.pid ?? 0;
    if (executableOf(pid) !== bench.worker) throw new Error('the writer was lost');
    process.kill(pid, 'SIGUSR1');
    const { items }: Status = JSON.parse((await handle.status?.()) ?? '{"items":[]}');
    const job = items.find(({ name }) => name === WRITER)?.actions[0]?.job_id;
    const [, socket = ''] = handle.lister ?? [];
    const paths = ['/v1/events/stream', `/v1/jobs/${job}/log?follow=true&tail=0`];
    return { place, handle, stamps, socket, paths };
  } catch (error) {
    await bench.leave(place, handle);
    throw error;
  }
}

/** How many follow each of the paths. */
function connections(): [events: number, log: number] {
  return [setting('EVENT_FOLLOWERS', 100), setting('LOG_FOLLOWERS', 100)];
}

async function look(bench: Bench, { place }: Subject, { memory }: Stage): Promise<void> {
  await bench.pause(setting('SETTLE_MS', 3000));
  memory.push(memoryOf(supervisorsOf(place.dir, place.worker)));
}

async function kills(bench: Bench, { stamps }: Subject, { times }: Stage, gap: number): Promise<void> {
  for (let n = 0; n < setting('KILLS', 60); n += 1) {
    await bench.pause(gap);
    times.push(await restartTime(bench, stamps, KILLED));
  }
}

async function round(bench: Bench, subject: Subject, stages: readonly [Stage, Stage, Stage]): Promise<void> {
  const [before, meanwhile, after] = stages;
  const gap = setting('GAP_MS', 100);
  await kills(bench, subject, before, gap);
  await look(bench, subject, before);
  const followers = await Caller.start<FollowerMessage>('followers', [
    subject.socket,
    ...subject.paths.flatMap((path, n) => [path, `${connections()[n]}`]),
  ]);
  try {
    await kills(bench, subject, meanwhile, gap);
    await look(bench, subject, meanwhile);
    const told = await followers.ask('report');
    const fewest = told.said === 'report' ? told.fewest : [];
    console.error(`messages of the follower that had the fewest: ${fewest.join(' of events, ')} of the log`);
    if (!fewest.every((count, n) => count > 0 || connections()[n] === 0))
      throw new Error('there are followers who heard nothing');
  } finally {
    await followers.end();
  }
  await look(bench, subject, after);
}

/** Measures, and prints a table. */
export async function followers(bench: Bench): Promise<void> {
  const rounds = setting('ROUNDS', 3);
  if ((await present([upkeep()])).length === 0) return;
  const subject = await bench.attempt('upkeep', () => begin(bench));
  if (subject === null) return;
  const stage = (name: string): Stage => ({ name, memory: [], times: [] });
  const stages = [stage('before'), stage('followed'), stage('after')] as const;
  await bench.attempt('the run', async () => {
    for (let n = 0; n < rounds; n += 1) await round(bench, subject, stages);
  });
  await bench.leave(subject.place, subject.handle);

  const [before] = stages;
  const first = before.memory[0];
  const [ofEvents, ofLog] = connections();
  console.log(
    `\n${ofEvents} followers of events and ${ofLog} of a log; ${rounds} rounds of ${setting('KILLS', 60)} kills; ` +
      'memory in MB, medians; SIGKILL to replacement in ms',
  );
  console.log(
    formatTable(
      ['', 'RSS', 'PSS', 'PSS more', 'most PSS', 'p50', 'p99', 'max', 'p50 / before', 'p99 / before'],
      stages.map(({ name, memory, times }) => {
        const pss = memory.map((each) => each.pss);
        const figures =
          times.length === 0
            ? ['-', '-', '-', '-', '-']
            : [
                ...[0.5, 0.99, 1].map((q) => ms(quantile(times, q))),
                ...[0.5, 0.99].map((q) => ratio(quantile(times, q), quantile(before.times, q))),
              ];
        return [
          name,
          megabytes(median(memory.map((each) => each.rss))),
          megabytes(median(pss)),
          // Of the very first: what a round leaves behind would hide in the next one's begin.
          megabytes(median(pss) - (first?.pss ?? 0)),
          megabytes(quantile(pss, 1)),
          ...figures,
        ];
      }),
    ),
  );
}
