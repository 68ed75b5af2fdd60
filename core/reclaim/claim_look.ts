/**
 * Looks at the claims of an action, and at those that only its `kill_other` lists: which are in use, and by whom.
 */
import type { Identity } from '../process/identity.ts';
import { type Claim, claimKey, type SocketClaim } from './claim.ts';
import { classify, type KnownProcess } from './holder_class.ts';
import type { HolderAnswer } from './look_up.ts';
import type { ObservedClaim, ObservedHolder } from './observations.ts';
import { lookAtPort, lookAtPorts } from './port_look.ts';
import { lookAtSocket, unixTable } from './socket_look.ts';
import type { ReclaimTarget, ReclaimWorld } from './target.ts';

/** A claim that somebody is to be asked about. `in_use` false: only the answer tells whether it is. */
interface Question {
  readonly own: boolean;
  readonly claim: Claim;
  readonly in_use: boolean;
  readonly sign: string;
}

/**
 * Looks at every claim side by side. No probe is asked while each is free or stale.
 *
 * @param suspects pids to look into first.
 */
export async function lookAtClaims(
  target: ReclaimTarget,
  world: ReclaimWorld,
  suspects: readonly number[],
): Promise<{ claims: readonly ObservedClaim[]; probe: string | null }> {
  const { settled, questions } = await lookAtAll(target, world);
  if (questions.length === 0) return { claims: settled, probe: null };
  const asked = questions.map(({ claim }) => claim);
  const answer = await world.probes.lookUp(asked, { suspects, exhaustive: true });
  const whose = classifier(target, world);
  const answered = await Promise.all(questions.map((question) => settle(question, answer, whose, world)));
  return { claims: [...settled, ...answered], probe: answer.probe };
}

async function lookAtAll(
  { action }: ReclaimTarget,
  { host }: ReclaimWorld,
): Promise<{ settled: ObservedClaim[]; questions: Question[] }> {
  const ports = withExtra([...action.tcp_ports, ...action.udp_ports], action.kill_other?.ports ?? []);
  const sockets = withExtra(
    action.sockets.map(socketClaim),
    (action.kill_other?.sockets ?? []).map(socketClaim),
  );
  const table = unixTable(host);
  const [portLooks, socketLooks] = await Promise.all([
    lookAtPorts(ports, host.net),
    Promise.all(
      sockets.map(async (socket) => ({ ...socket, ...(await lookAtSocket(socket.claim.path, host, table)) })),
    ),
  ]);
  const settled: ObservedClaim[] = [];
  const questions: Question[] = [];
  for (const look of portLooks) {
    const { claim, own } = look;
    if (look.state === 'free') settled.push({ claim, own, state: 'free' });
    else questions.push({ claim, own, in_use: look.state === 'taken', sign: look.sign });
  }
  for (const look of socketLooks) {
    const { claim, own } = look;
    if (look.state !== 'held') settled.push(look);
    else questions.push({ claim, own, in_use: true, sign: look.sign });
  }
  return { settled, questions };
}

function socketClaim(path: string): SocketClaim {
  return { kind: 'socket', path };
}

/** The action's own claims, and those that only `kill_other` lists. */
function withExtra<C extends Claim>(own: readonly C[], extra: readonly C[]): { claim: C; own: boolean }[] {
  const keys = new Set(own.map(claimKey));
  return [
    ...own.map((claim) => ({ claim, own: true })),
    ...extra.filter((claim) => !keys.has(claimKey(claim))).map((claim) => ({ claim, own: false })),
  ];
}

type Whose = (identity: Identity) => KnownProcess | null;

/** Classifies each process once, however many claims it holds. */
function classifier(target: ReclaimTarget, world: ReclaimWorld): Whose {
  const known = new Map<number, KnownProcess | null>();
  return (identity) => {
    let process = known.get(identity.pid);
    if (process === undefined) {
      process = classify(identity, target, world);
      known.set(identity.pid, process);
    }
    return process;
  };
}

async function settle(
  { claim, own, in_use, sign }: Question,
  answer: HolderAnswer,
  whose: Whose,
  { host }: ReclaimWorld,
): Promise<ObservedClaim> {
  const holders = holdersOf(claim, answer, whose);
  if (holders.length > 0) return { claim, own, state: 'held', sign, holders };
  if (in_use) {
    // The holder may have left while the question was on its way.
    const released = claim.kind !== 'socket' && (await lookAtPort(claim, host.net)).state === 'free';
    return released ? { claim, own, state: 'free' } : { claim, own, state: 'held', sign, holders };
  }
  // That nobody was seen means that nobody is there only to a look that saw everything. Unknown is never free.
  return answer.complete ? { claim, own, state: 'free' } : { claim, own, state: 'unclear', sign };
}

function holdersOf(claim: Claim, answer: HolderAnswer, whose: Whose): ObservedHolder[] {
  const key = claimKey(claim);
  return answer.holders.flatMap((holder): ObservedHolder[] => {
    if (claimKey(holder.claim) !== key) return [];
    if (holder.process === null) return [{ process: null, address: holder.address }];
    const process = whose(holder.process);
    // Null: it was there for the probe and is gone by now.
    return process === null ? [] : [{ process, address: holder.address }];
  });
}
